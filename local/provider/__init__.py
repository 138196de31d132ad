"""A Pulumi resource provider named ``aws`` whose AWS is the embedded endpoint.

It exists for tests with the real Pulumi engine (``tests/real``) and for ``./cqrs up``, not for deployments: the AWS
provider isn't needed there, nor is the network. It knows the resource types that ``local.deploy`` creates and refuses
others by name. The engine attaches to it through ``PULUMI_DEBUG_PROVIDERS=aws:<port>``.
"""

from local.provider.runtime import EngineRuntime

__all__ = ["EngineRuntime"]
