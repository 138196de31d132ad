"""The HTTP API: one module per group of routes; the only package that may use pydantic and Powertools' resolver."""
