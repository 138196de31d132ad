"""The topic port: messages with attributes, and the alarm message."""
