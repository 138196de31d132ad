"""The stack's configuration: typed, with defaults and ranges."""
