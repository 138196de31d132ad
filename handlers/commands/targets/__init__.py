"""Where commands are applied beside the read model: sync handlers of this project and targets of others."""
