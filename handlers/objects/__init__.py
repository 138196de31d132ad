"""Objects in the stack's bucket: what is too large for an item or a message."""
