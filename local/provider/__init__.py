"""A Pulumi resource provider named ``aws`` whose AWS is the embedded endpoint.

It is for tests with the real Pulumi engine (``tests/real``) and for ``./cqrs up``, which need neither the AWS provider
nor the network; it isn't for deployments. It supports the resource types that ``local.deploy`` creates, and refuses
others by name. The engine attaches to it by ``PULUMI_DEBUG_PROVIDERS=aws:<port>``.
"""

from local.provider.runtime import EngineRuntime

__all__ = ["EngineRuntime"]
