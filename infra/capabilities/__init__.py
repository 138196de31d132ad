"""The stack's capabilities: one module each, with its functions, permissions, state machines and event sources."""
