"""Values that callers pass and tables store: their validation and normalisation."""
