"""The short way from a client in this process to the endpoint: no HTTP request is written, and none is read."""
