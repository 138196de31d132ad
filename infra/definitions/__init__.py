"""State machine definitions: finding, completing, checking and filling them in."""
