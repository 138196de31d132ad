"""The Pulumi program: reads the configuration, builds the stack, exports its outputs."""

from pathlib import Path

import pulumi

from infra.configuration.stack_config import ConfigError, StackConfig
from infra.definitions.checks import DefinitionError
from infra.definitions.substitution import SubstitutionError
from infra.naming.names import Names
from infra.packaging import PackagingError
from infra.refusal import refusal
from infra.stack import build

try:
    config = StackConfig.from_pulumi()
    names = Names(pulumi.get_project(), pulumi.get_stack())
    outputs = build(config, names, Path(__file__).parent)
except (ConfigError, PackagingError, DefinitionError, SubstitutionError) as error:
    raise refusal(error) from error

for name, value in outputs.items():
    pulumi.export(name, value)
