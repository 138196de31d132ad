"""The state of a runtime on disk: its folder, and how each part of the embedded AWS comes back from it."""
