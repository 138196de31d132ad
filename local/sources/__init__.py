"""Event sources: what calls functions by itself (streams, queues, EventBridge rules and schedules)."""
