"""The commands of ``./cqrs``."""
