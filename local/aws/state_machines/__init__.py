"""Step Functions of the local endpoint."""
