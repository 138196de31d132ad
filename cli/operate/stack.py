"""Access of the commands to a deployed stack: its names, clients, and the settings of its functions."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, ProfileNotFound

from cli.errors import CommandError
from cli.operate.answers import Place, line_of
from contract.tables import COMMANDS, DATA, HISTORY, IMPORT_TMP, TASKS
from handlers.core.aws.clients import CLIENT_CONFIG, LAMBDA_CALL_CONFIG
from handlers.store.dynamodb import DynamoTableStore

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient

ROOT = Path(__file__).resolve().parents[2]
#: The region of ``./cqrs serve``, and credentials that it accepts.
LOCAL_REGION = "us-east-1"
LOCAL_CREDENTIALS = ("local", "local")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class StackArgs:
    """The stack and how to reach it. None: as for the AWS CLI."""

    stack: str
    project: str
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None


class Stack:
    """One stack. Clients are created on first use."""

    def __init__(self, args: StackArgs) -> None:
        for field, value in (("--stack", args.stack), ("--project", args.project)):
            if not _NAME.fullmatch(value):
                raise CommandError(f"{field} {value!r} is not a name: letters, digits, '-', '_' and '.'")
        endpoint = args.endpoint or os.environ.get("AWS_ENDPOINT_URL")
        if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
            raise CommandError(f"--endpoint {endpoint!r} is not a URL such as http://127.0.0.1:4566")
        self._args = args
        self._endpoint = endpoint
        self._session = botocore.session.Session(profile=args.profile)
        self._clients: dict[tuple[str, str | None], Any] = {}

    @property
    def file(self) -> Path:
        """Its configuration file, if it is a stack of this repository."""
        return ROOT / f"Pulumi.{self._args.stack}.yaml"

    @property
    def place(self) -> Place:
        """The stack in messages."""
        at = f" at {self._endpoint}" if self._endpoint else f" in {self.region or 'no region'}"
        return Place(f"stack {self._args.stack} of project {self._args.project}{at}", ", ".join(self.tables.values()))

    @property
    def region(self) -> str | None:
        """As given, as configured, or the local runtime's."""
        return self._args.region or self._configured_region() or (LOCAL_REGION if self._is_local else None)

    def name(self, what: str) -> str:
        """The physical name of a resource."""
        return f"{self._args.project}-{self._args.stack}-{what}"

    @cached_property
    def tables(self) -> dict[str, str]:
        """Logical to physical table names."""
        return {table: self.name(table) for table in (COMMANDS, DATA, HISTORY, TASKS, IMPORT_TMP)}

    @cached_property
    def store(self) -> DynamoTableStore:
        """The tables."""
        return DynamoTableStore(self.client("dynamodb"), self.tables)

    def client(self, service: str, region: str | None = None, config: Config = CLIENT_CONFIG) -> Any:
        """A client with the stack's credentials, for the stack's region or another one."""
        made = (service, region)
        if made not in self._clients:
            key, secret = LOCAL_CREDENTIALS if self._needs_local_credentials else (None, None)
            self._clients[made] = self._session.create_client(
                service,
                region_name=region or self.region,
                endpoint_url=self._endpoint,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=config,
            )
        return self._clients[made]

    def lambda_calls(self, region: str) -> LambdaClient:
        """See ``handlers.commands.targets.connect.Clients``."""
        return cast("LambdaClient", self.client("lambda", region, LAMBDA_CALL_CONFIG))

    def sqs(self, region: str) -> SQSClient:
        """See ``handlers.commands.targets.connect.Clients``."""
        return cast("SQSClient", self.client("sqs", region))

    def sns(self, region: str) -> SNSClient:
        """See ``handlers.commands.targets.connect.Clients``."""
        return cast("SNSClient", self.client("sns", region))

    def events(self, region: str) -> EventBridgeClient:
        """See ``handlers.commands.targets.connect.Clients``."""
        return cast("EventBridgeClient", self.client("events", region))

    def environment_of(self, function: str) -> Mapping[str, str]:
        """The environment variables of a deployed function of the stack.

        Raises:
            CommandError: the stack has no such function.
        """
        name = self.name(function)
        try:
            answer = self.client("lambda").get_function_configuration(FunctionName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise CommandError(
                f"{self.place.words}: function {name} does not exist; check --stack, --project and --region: "
                "`pulumi stack ls` lists the stacks"
            ) from None
        return cast("Mapping[str, str]", answer.get("Environment", {}).get("Variables", {}))

    @property
    def _is_local(self) -> bool:
        host = urlsplit(self._endpoint).hostname if self._endpoint else None
        return host in ("127.0.0.1", "localhost", "::1")

    @property
    def _needs_local_credentials(self) -> bool:
        return self._is_local and self._args.profile is None and "AWS_ACCESS_KEY_ID" not in os.environ

    def _configured_region(self) -> str | None:
        try:
            region = os.environ.get("AWS_REGION") or self._session.get_config_variable("region")
        except ProfileNotFound as error:
            raise CommandError(f"{error}; `aws configure list-profiles` lists the profiles") from None
        return cast("str | None", region)


def on_stack(options: argparse.Namespace, work: Callable[[Stack], int]) -> int:
    """Run a command on the stack that its options name. Returns its exit code.

    Raises:
        CommandError: for every error that the user can act on, in one line.
    """
    if options.api is not None:
        raise CommandError(
            "--api: this command works on the stack itself; omit --api, and use credentials with the permissions "
            "that docs/operations.md lists"
        )
    project = default_project() if options.project is None else options.project
    stack = Stack(StackArgs(options.stack, project, options.endpoint, options.region, options.profile))
    try:
        return work(stack)
    except Exception as error:
        line = line_of(error, stack.place)
        if line is None:
            raise
        raise CommandError(line) from error


def default_project(folder: Path = ROOT) -> str:
    """The name in ``Pulumi.yaml``, which is the prefix of the stacks' resources.

    Raises:
        CommandError: the file is missing or has no name.
    """
    import yaml  # comes with pulumi; only needed without --project

    path = folder / "Pulumi.yaml"
    try:
        # This loader reads every scalar as text and ignores tags.
        document = yaml.load(path.read_bytes().decode("utf-8-sig"), yaml.BaseLoader)
    except OSError as error:
        raise CommandError(f"{path.name}: {error.strerror}; give --project") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"{path.name} is not YAML: {' '.join(str(error).split())}; give --project") from None
    name = document.get("name") if isinstance(document, dict) else None
    if not isinstance(name, str) or not name:
        raise CommandError(f"{path.name} has no name; give --project")
    return name
