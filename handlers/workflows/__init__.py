"""Starting and resuming state machine executions."""
