"""Import jobs: creating, loading, counting, ending, cancelling, retrying, reporting."""
