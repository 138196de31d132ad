"""Tables that another server of DynamoDB's API on this machine keeps (``CQRS_DYNAMODB_ENDPOINT``)."""
