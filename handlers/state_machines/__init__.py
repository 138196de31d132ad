"""The port to Step Functions: starting executions, completing task tokens, and the payload of a state."""
