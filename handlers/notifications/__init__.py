"""Messages to people and to other projects."""
