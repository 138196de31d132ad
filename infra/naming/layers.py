"""ARNs of layers published by third parties.

AWS publishes Powertools for Python with pydantic as a layer per runtime and architecture, from one account per
partition and, in GovCloud, per region (Powertools for AWS Lambda, "Installation", its tables of layers).
"""

from __future__ import annotations

from infra.naming.names import Account

#: The newest version available in all partitions; GovCloud has no newer one. Tests use the version in requirements.txt.
POWERTOOLS_VERSION = 27
_COMMERCIAL = "017000801446"
#: Partition to region to account, for the partitions without ``_COMMERCIAL``.
_ACCOUNTS = {
    "aws-cn": {"cn-north-1": "498634801083"},
    "aws-us-gov": {"us-gov-east-1": "165087284144", "us-gov-west-1": "165093116878"},
}


class NoLayer(ValueError):
    """AWS publishes no layer for the region."""


def powertools(account: Account, runtime: str, architecture: str) -> str:
    """The ARN of the layer with aws-lambda-powertools and pydantic. ``runtime``: Lambda's name, ``python3.13``.

    Raises:
        NoLayer: AWS publishes none in the region.
    """
    owner = _ACCOUNTS.get(account.partition, {account.region: _COMMERCIAL}).get(account.region)
    if owner is None:
        raise NoLayer(f"AWS publishes no Powertools layer in {account.region}")
    name = f"AWSLambdaPowertoolsPythonV3-{runtime.replace('.', '')}-{architecture}"
    return f"arn:{account.partition}:lambda:{account.region}:{owner}:layer:{name}:{POWERTOOLS_VERSION}"
