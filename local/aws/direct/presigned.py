"""Makes presigned URLs point to the served endpoint, since URLs of AWS would leave the machine and not work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from botocore.signers import RequestSigner

from local.aws.address import served_at
from local.aws.direct.calls import LOOPBACK

_VIRTUAL = ".s3."
_SIGNATURE = "X-Amz-Signature="
_botocores = RequestSigner.generate_presigned_url


@contextmanager
def presigned_here() -> Iterator[None]:
    """Inside, URLs that clients presign point to the served endpoint, if there is one."""

    def generate(signer: RequestSigner, *args: Any, **kwargs: Any) -> str:
        url = str(_botocores(signer, *args, **kwargs))
        served = served_at()
        return url if served is None else moved(url, served)

    RequestSigner.generate_presigned_url = generate  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        RequestSigner.generate_presigned_url = _botocores  # type: ignore[method-assign]


def moved(url: str, served: str) -> str:
    """The URL of the same request to ``served``; the bucket of a virtual host goes into the path (S3 User Guide,
    "Virtual hosting of general purpose buckets"). Signatures aren't checked here, so they needn't match any more.
    """
    parts, here = urlsplit(url), urlsplit(served)
    host = parts.hostname or ""
    if host in LOOPBACK:
        return url
    bucket, virtual, _ = host.partition(_VIRTUAL)
    path = f"/{bucket}{parts.path}" if virtual else parts.path
    query = parts.query
    if "X-Amz-Credential=" in query and _SIGNATURE not in query:
        query += f"&{_SIGNATURE}local"  # signers in this process leave it out (decision record 0205)
    return urlunsplit((here.scheme, here.netloc, path, query, ""))
