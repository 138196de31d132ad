"""Shared by all AWS adapters: clients, the nature of errors, batches of messages."""
