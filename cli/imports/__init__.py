"""``./cqrs import`` and ``./cqrs imports``."""
