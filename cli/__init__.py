"""The commands of ``./cqrs``: one module each, registered in one place."""
