"""DynamoDB's validation of expressions, before it reads an item."""
