"""Deploys the project's own Pulumi program on the local endpoint."""

from local.deploy.deploy import deploy_program
from local.deploy.errors import DeployError
from local.deploy.model import DeployContext, Deployment, Resource

__all__ = ["DeployContext", "DeployError", "Deployment", "Resource", "deploy_program"]
