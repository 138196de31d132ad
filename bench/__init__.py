"""Figures that a user cares about: calls, transitions and dollars per command, cold start. ``./cqrs bench``."""
