"""A runtime's state on disk: its folder, and the restoring of each part of the embedded AWS from it."""
