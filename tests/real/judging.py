"""Where the judges are, what they are given, and which of their findings are accepted, each with its reason."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.real.rendering import Rendered, template
from tests.support.evaluation import PROJECT_DIR, evaluated

JUDGES = Path(__file__).with_name("judges")
ACCEPTED = JUDGES / "accepted.json"
INSTALL = "tests/real/judges/install puts it there"
#: Everything that configuration adds to what a stack declares, as far as it changes what is judged.
FULL = {
    "apiAudience": '["shop"]',
    "apiCorsOrigins": '["https://shop.example"]',
    "apiIssuer": "https://issuer.example/pool",
    "bucketAccessLog": "logs-of-others",
    "consoleEnabled": "true",
    "kmsKey": "create",
    "tracing": "true",
    "handlerModules": '["handlers.domain.approval","handlers.domain.three_steps","handlers.domain.transfer"]',
    "importBuckets": '["files-of-others"]',
    "syncTargets": '[{"id":"search","types":["ORDER"],"kind":"sqs","arn":"arn:aws:sqs:us-east-1:123456789012:search"}]',
}
STACKS: Mapping[str, tuple[str, Mapping[str, str]]] = {"dev": ("dev", {}), "full": ("prod", FULL)}


class Finding(NamedTuple):
    """What a judge says of a resource."""

    judge: str
    finding: str
    resource: str

    def __str__(self) -> str:
        return f"{self.judge}: {self.resource}: {self.finding}"


@dataclass(frozen=True)
class Acceptance:
    """Findings that are no fault; the texts are whole regular expressions."""

    judge: str
    finding: str
    resources: str
    reason: str

    def covers(self, one: Finding) -> bool:
        matches = re.fullmatch(self.finding, one.finding, re.DOTALL) and re.fullmatch(self.resources, one.resource)
        return self.judge == one.judge and matches is not None


def accepted() -> list[Acceptance]:
    """The committed list."""
    return [Acceptance(**one) for one in json.loads(ACCEPTED.read_text(encoding="utf-8"))]


def outcome(judge: str, findings: Sequence[Finding]) -> tuple[list[str], list[str]]:
    """Findings that nobody accepted, and acceptances that no finding needs."""
    known = [one for one in accepted() if one.judge == judge]
    new = [str(one) for one in findings if not any(entry.covers(one) for entry in known)]
    idle = [entry.finding for entry in known if not any(entry.covers(one) for one in findings)]
    return new, idle


def folder() -> Path:
    """Where the judges are installed."""
    return Path(os.environ.get("CQRS_JUDGES") or PROJECT_DIR / ".local" / "judges")


def program(tool: str) -> Path | None:
    """A judge's own program, or that of its Python."""
    path = folder() / tool / "bin" / ("python" if tool == "parliament" else tool)
    return path if path.exists() else None


def node_modules() -> Path | None:
    """Where the judges of definitions are, if there is a Node.js to run them."""
    path = folder() / "node_modules"
    return path if shutil.which("node") and (path / "asl-validator").exists() else None


def versions() -> dict[str, str]:
    """Judge to its version, or why it can't be used."""
    found = {}
    for tool in ("cfn-lint", "checkov", "ministack", "parliament"):
        pinned = (JUDGES / f"{tool}.txt").read_text(encoding="utf-8").split()[0].partition("==")[2]
        found[tool] = pinned if program(tool) else f"absent from {folder()}: {INSTALL}"
    pack = folder() / "pulumi-policy"
    found["pulumi-policy"] = "there" if pack.exists() else f"absent from {folder()}: {INSTALL}"
    for tool, pinned in json.loads((JUDGES / "package.json").read_text(encoding="utf-8"))["dependencies"].items():
        found[tool] = pinned if node_modules() else f"absent from {folder()}, or no node: {INSTALL}"
    return found


@cache
def templates() -> Mapping[str, Rendered]:
    """The renderings that are judged."""
    return {name: template(evaluated(stack, config)) for name, (stack, config) in STACKS.items()}


def resources(type_: str) -> Iterator[tuple[str, Rendered]]:
    """Properties of all resources of a type, each with its name."""
    for stack, rendered in templates().items():
        for name, resource in rendered["Resources"].items():
            if resource["Type"] == type_ or not type_:
                yield f"{stack}/{name}", resource["Properties"]


def definitions() -> dict[str, Any]:
    """Every machine's definition as it is deployed."""
    return {
        name: json.loads(props["DefinitionString"]) for name, props in resources("AWS::StepFunctions::StateMachine")
    }


def policies() -> dict[str, Any]:
    """Every policy document: of roles, who takes them, and of resources."""
    found = {}
    for name, props in resources(""):
        for field in ("AssumeRolePolicyDocument", "PolicyDocument", "KeyPolicy"):
            if field in props:
                found[f"{name}/{field}"] = props[field]
        for one in props.get("Policies", ()):
            found[f"{name}/own"] = one["PolicyDocument"]
    return found


def answer(command: Sequence[str], given: Any = None, codes: tuple[int, ...] = (0,), **env: str) -> Any:
    """What a judge answers as JSON. Raises AssertionError with its own words if it does not work."""
    done = subprocess.run(
        command,
        input=None if given is None else json.dumps(given),
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)
