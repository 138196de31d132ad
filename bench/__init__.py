"""``./cqrs bench``: calls, transitions and dollars per command, cold start, and other figures for users."""
