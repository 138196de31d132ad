"""What a deployment refuses."""


class DeployError(Exception):
    """The program can't be deployed; the text is what the person who runs it needs to read, nothing else."""


class UnsupportedResource(DeployError):
    """The program declares something that the local runtime doesn't have; the text names it."""
