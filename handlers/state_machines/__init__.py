"""The port to Step Functions: starting executions, answering task tokens, and the payload of a state."""
