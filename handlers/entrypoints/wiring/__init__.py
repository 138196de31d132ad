"""Composition of the functions' collaborators."""
