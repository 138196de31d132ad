"""Targets to which commands are delivered besides the read model: sync handlers, and targets in other projects."""
