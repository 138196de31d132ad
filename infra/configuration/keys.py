"""Keys that a stack's configuration may have: the program's own, the AWS provider's and the engine's.

The engine passes on every key in the stack's file, and a key that isn't read has no effect, so a mistyped one must be
refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

#: pulumi-aws 7.51, "Configuration reference" (a test compares it with the package).
AWS = (
    *("accessKey", "allowedAccountIds", "assumeRoleWithWebIdentity", "assumeRoles", "customCaBundle", "defaultTags"),
    *("ec2MetadataServiceEndpoint", "ec2MetadataServiceEndpointMode", "endpoints", "forbiddenAccountIds", "httpProxy"),
    *("httpsProxy", "ignoreTags", "insecure", "maxRetries", "noProxy", "profile", "region", "retryMode"),
    *("s3UsEast1RegionalEndpoint", "s3UsePathStyle", "secretKey", "sharedConfigFiles", "sharedCredentialsFiles"),
    *("skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"),
    *("stsRegion", "tagPolicyCompliance", "token", "tokenBucketRateLimiterCapacity", "useDualstackEndpoint"),
    *("useFipsEndpoint", "userAgents"),
)
#: Pulumi documentation, "Pulumi stack settings file reference" and "Configuration".
ENGINE = ("autonaming", "disable-default-providers", "tags")
OTHERS = {"aws": AWS, "pulumi": ENGINE}


def misplaced(keys: Iterable[str], namespace: str, known: Collection[str]) -> Iterator[str]:
    """One message per unknown key outside of ``namespace``, with the closest known one.

    ``known``: the program's own keys, without their namespace.
    """
    everything = [f"{namespace}:{one}" for one in known] + [f"{ns}:{one}" for ns, of in OTHERS.items() for one in of]
    for key in sorted(keys):
        given, _, name = key.rpartition(":")
        if given == namespace or name in OTHERS.get(given, ()):
            continue
        close = [f"{namespace}:{name}"] if name in known else difflib.get_close_matches(key, everything, n=1)
        hint = f"did you mean {close[0]}?" if close else f"namespaces are {', '.join((namespace, *OTHERS))}"
        yield f"{key} is not a known key; {hint}"
