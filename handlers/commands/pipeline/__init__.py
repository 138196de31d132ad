"""The states of the command state machine (docs/spec/pipeline.md), one module per step."""
