"""Tables on another server of DynamoDB's API on this machine (``CQRS_DYNAMODB_ENDPOINT``)."""
