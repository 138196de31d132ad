"""Layers published by others: ARNs of what a function loads in addition to its own code.

AWS publishes Powertools for Python with pydantic as a layer per runtime and architecture, from one account per
partition and, in GovCloud, per region (Powertools for AWS Lambda, "Installation", its tables of layers).
"""

from __future__ import annotations

from infra.naming.names import Account

#: The newest version that all partitions have: GovCloud's tables end here. Tests run with what requirements.txt pins.
POWERTOOLS_VERSION = 27
_COMMERCIAL = "017000801446"
#: By partition, and by region where accounts differ.
_ACCOUNTS = {
    "aws-cn": {"cn-north-1": "498634801083"},
    "aws-us-gov": {"us-gov-east-1": "165087284144", "us-gov-west-1": "165093116878"},
}


class NoLayer(ValueError):
    """AWS publishes no layer for the region."""


def powertools(account: Account, runtime: str, architecture: str) -> str:
    """The ARN of the layer with aws-lambda-powertools and pydantic. ``runtime``: Lambda's name, ``python3.13``.

    Raises:
        NoLayer: the region has none.
    """
    owner = _ACCOUNTS.get(account.partition, {account.region: _COMMERCIAL}).get(account.region)
    if owner is None:
        raise NoLayer(f"AWS publishes no Powertools layer in {account.region}")
    name = f"AWSLambdaPowertoolsPythonV3-{runtime.replace('.', '')}-{architecture}"
    return f"arn:{account.partition}:lambda:{account.region}:{owner}:layer:{name}:{POWERTOOLS_VERSION}"
