"""Detection of a file's encoding: certain, or refused with a list of candidates (decision record 0150)."""
