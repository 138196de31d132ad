"""Collaborators that several entry points put together alike."""
