"""Direct calls from clients in this process to the endpoint, without writing and parsing HTTP requests."""
