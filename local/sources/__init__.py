"""Event sources of functions: streams, queues, and EventBridge rules and schedules."""
