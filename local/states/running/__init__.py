"""Running executions: the interpreter and the states that do work."""
