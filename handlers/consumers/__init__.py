"""Shared by all consumers of streams and queues: reading messages, batch responses, error handling."""
