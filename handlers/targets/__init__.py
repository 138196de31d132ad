"""Sync targets in other projects: their Lambda functions, queues, topics and event buses."""
