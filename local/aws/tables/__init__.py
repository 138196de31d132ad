"""DynamoDB of the local endpoint."""
