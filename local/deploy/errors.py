"""Errors of a deployment."""


class DeployError(Exception):
    """The program can't be deployed; the text is the message for the user."""


class UnsupportedResource(DeployError):
    """The program declares something that the local runtime doesn't support; the text names it."""
