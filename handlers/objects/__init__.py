"""Objects in the stack's bucket: content that is too large for an item or a message."""
