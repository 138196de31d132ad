"""A developer's machine at its worst: all that botocore reads leads elsewhere, to a listener that takes notes."""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from local.aws.environment import botocore_variables

#: Services that have a variable of their own for their endpoint.
SERVICES = [
    "CLOUDWATCH",
    "CLOUDWATCH_LOGS",
    "DYNAMODB",
    "EVENTBRIDGE",
    "IAM",
    "LAMBDA",
    "S3",
    "SCHEDULER",
    "SFN",
    "SNS",
    "SQS",
    "SSO",
    "SSO_OIDC",
    "STS",
]


class Listener:
    """Accepts any connection on a loopback port and remembers its first bytes."""

    def __init__(self) -> None:
        seen = self.seen = list[bytes]()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                seen.append(self.request.recv(200))

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Listener:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def hostile_environment(url: str, home: Path) -> Mapping[str, str]:
    """Variables, with the files that they and botocore's defaults name below ``home``."""
    aws = home / ".aws"
    (aws / "models" / "dynamodb" / "2012-08-10").mkdir(parents=True)
    (aws / "models" / "dynamodb" / "2012-08-10" / "service-2.json").write_text("not a model")
    services = "".join(f"{name.lower()} =\n  endpoint_url = {url}\n" for name in SERVICES)
    config = (
        f"[default]\nservices = mine\nregion = mars-north-1\nendpoint_url = {url}\nuse_fips_endpoint = true\n"
        f"credential_process = /does/not/exist\n[profile nope2]\nrole_arn = arn:aws:iam::1:role/x\n"
        f"source_profile = nope2\n[services mine]\n{services}"
    )
    (aws / "config").write_text(config)
    (aws / "credentials").write_text("[default]\naws_access_key_id = theirs\naws_secret_access_key = theirs\n")
    (home / ".boto").write_text("[Credentials]\naws_access_key_id = boto\naws_secret_access_key = boto\n")
    found = dict.fromkeys(botocore_variables(), "1")
    found |= {name: "true" for name in found if "ENABLED" in name or "USE_" in name or "DISABLE" in name}
    found |= {
        "AWS_PROFILE": "nope",
        "AWS_DEFAULT_PROFILE": "nope2",
        "AWS_REGION": "mars-north-1",
        "AWS_DEFAULT_REGION": "mars-north-1",
        "AWS_CONFIG_FILE": str(aws / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(aws / "credentials"),
        "AWS_DATA_PATH": str(aws / "models"),
        "AWS_CA_BUNDLE": "/does/not/exist.pem",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(aws / "config"),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/theirs",
        "AWS_SESSION_TOKEN": "theirs",
        "AWS_RETRY_MODE": "no such mode",
        "AWS_DEFAULTS_MODE": "no such mode",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ENDPOINT_URL": url,
        "BOTO_CONFIG": str(home / ".boto"),
        "REQUESTS_CA_BUNDLE": "/does/not/exist.pem",
        "HOME": str(home),
    }
    found |= {f"AWS_ENDPOINT_URL_{name}": url for name in SERVICES}
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        found |= {name: url, name.upper(): url}
    return {**found, "NO_PROXY": "", "no_proxy": "", "PATH": os.environ["PATH"]}
