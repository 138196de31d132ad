"""The runtime's port on a loopback address: AWS for the CLI and any SDK, and a website for browsers."""

from local.aws.http.server import HttpServer, is_served

__all__ = ["HttpServer", "is_served"]
