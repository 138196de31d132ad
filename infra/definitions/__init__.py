"""State machine definitions: found, completed, checked, filled in."""
