"""Tasks: single ones and lists of items, processed in the background."""
