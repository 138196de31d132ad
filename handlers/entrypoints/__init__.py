"""One thin module per Lambda function: typed environment, collaborators, one call."""
