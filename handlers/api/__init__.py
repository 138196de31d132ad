"""The HTTP API: one module per room of the API; the only place that may use pydantic and Powertools' resolver."""
