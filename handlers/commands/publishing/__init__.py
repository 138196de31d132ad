"""Accepting commands: conditional writes, request ids, retries, and the synchronous paths."""
