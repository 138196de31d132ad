"""The layer with Powertools and pydantic, which the API's function alone names."""

from __future__ import annotations

import pytest

from infra.capabilities.catalogue import check_layers
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.naming.layers import powertools
from infra.naming.names import Account
from tests.support.evaluation import Evaluation


@pytest.mark.parametrize(
    ("partition", "region", "owner"),
    [
        ("aws", "eu-central-1", "017000801446"),
        ("aws-cn", "cn-north-1", "498634801083"),
        ("aws-us-gov", "us-gov-east-1", "165087284144"),
        ("aws-us-gov", "us-gov-west-1", "165093116878"),
    ],
)
def test_each_partition_has_its_own(partition: str, region: str, owner: str) -> None:
    arn = powertools(Account(partition, region, "1" * 12), "python3.13", "arm64")
    assert arn == f"arn:{partition}:lambda:{region}:{owner}:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"


def test_a_region_without_it_is_refused_before_anything_is_declared() -> None:
    with pytest.raises(ConfigError, match="aws:region: 'cn-northwest-1' is not allowed with the API"):
        check_layers(StackConfig(), Account("aws-cn", "cn-northwest-1", "1" * 12))


def test_one_function_loads_it(dev: Evaluation) -> None:
    functions = dev.of_type("aws:lambda/function:Function")
    assert [name for name, props in functions.items() if "layers" in props] == ["api"]
