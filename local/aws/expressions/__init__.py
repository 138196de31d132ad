"""What DynamoDB refuses in an expression before it looks at an item."""
