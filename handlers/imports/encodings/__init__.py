"""Which encoding a file has: certain, or refused with what it could be (decision record 0150)."""
