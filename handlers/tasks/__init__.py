"""Tasks: single ones and lists of items, worked on in the background."""
