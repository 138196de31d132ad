"""Values that callers give and tables keep: what may be in them, and in which form."""
