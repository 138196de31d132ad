"""Where commands are delivered in addition to the read model: sync handlers, and targets in other projects."""
