"""The states of the command state machine (design section 5), one module per step."""
