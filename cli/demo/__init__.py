"""``./cqrs demo``: real data through the whole program on the embedded runtime."""
