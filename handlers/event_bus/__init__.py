"""The event bus port: events for other projects."""
