from __future__ import annotations

from pathlib import Path

import pytest

from local.deploy.errors import DeployError
from local.deploy.project import load_stack, stack_names

SAMPLE = "name: sample\nruntime: python\n"


def write(folder: Path, project: str = SAMPLE, **stacks: str) -> Path:
    (folder / "Pulumi.yaml").write_text(project)
    for name, text in stacks.items():
        (folder / f"Pulumi.{name}.yaml").write_text(text)
    return folder


def test_values_become_text_under_their_namespace(tmp_path: Path) -> None:
    project = (
        f"{SAMPLE}config:\n  retries: {{type: integer, default: 3}}\n  level: {{default: INFO}}\n"
        "  aws:region: {value: eu-west-1}\n  plain: yes\n  wide: {default: 3.0}\n"
    )
    write(tmp_path, project, dev="config:\n  sample:level: DEBUG\n  sample:days: {commands: 90}\n  sample:on: true\n")
    stack = load_stack(tmp_path, "dev", {"retries": "5", "aws:profile": "x"})
    assert (stack.project, stack.name) == ("sample", "dev")
    assert stack.config == {
        "sample:retries": "5",
        "sample:level": "DEBUG",
        "aws:region": "eu-west-1",
        "sample:plain": "yes",
        "sample:wide": "3",
        "sample:days": '{"commands":90}',
        "sample:on": "true",
        "aws:profile": "x",
    }


def test_a_file_that_the_cli_rewrote_reads_alike(tmp_path: Path) -> None:
    """``pulumi stack init`` quotes numbers and booleans and adds its salt (seen with v3.274.1)."""
    project = f"{SAMPLE}config:\n  days: {{type: integer, default: 3}}\n  on: {{type: boolean, default: false}}\n"
    own = "config:\n  sample:days: 14\n  sample:on: true\n"
    rewritten = 'config:\n  sample:days: "14"\n  sample:on: "true"\nencryptionsalt: v1:PGCE7qIHkZI=\n'
    write(tmp_path, project, dev=own, prod=rewritten)
    assert load_stack(tmp_path, "dev").config == load_stack(tmp_path, "prod").config


def test_autonaming_is_a_setting_of_the_engine(tmp_path: Path) -> None:
    setting = "config:\n  pulumi:autonaming:\n    pattern: ${project}-${stack}-${name}\n"
    stack = load_stack(write(tmp_path, dev=setting), "dev")
    assert stack.autonaming == "${project}-${stack}-${name}"
    assert stack.config == {}


def test_stacks_are_listed_and_unknown_ones_refused(tmp_path: Path) -> None:
    write(tmp_path, dev="", prod="", test="")
    (tmp_path / "Pulumi.prod.eu.yaml").write_text("")
    assert stack_names(tmp_path) == ["dev", "prod", "prod.eu", "test"]
    with pytest.raises(DeployError, match=r"unknown stack 'live'; stacks: dev, prod, prod\.eu, test"):
        load_stack(tmp_path, "live")
    with pytest.raises(DeployError, match=r"stack '\.\./dev' is not allowed; expected 1 to 100 letters"):
        load_stack(tmp_path, "../dev")


def test_the_region_is_the_configured_one(tmp_path: Path) -> None:
    assert load_stack(write(tmp_path, dev=""), "dev").region == "us-east-1"
    assert load_stack(write(tmp_path, dev="config: {aws:region: eu-west-1}"), "dev").region == "eu-west-1"


@pytest.mark.parametrize(
    ("project", "stack", "message"),
    [
        ("name: [", "", "Pulumi.yaml is not YAML"),
        ("- a", "", "Pulumi.yaml must hold a mapping"),
        ("runtime: python", "", "Pulumi.yaml: it has no name"),
        (SAMPLE, "config:\n  sample:key: {secure: abc}\n", "Pulumi.dev.yaml: sample:key: is encrypted"),
        (SAMPLE, "config:\n  pulumi:autonaming: {mode: disabled}\n", "supported locally: a pattern"),
        (f"{SAMPLE}main: src\n", "", "Pulumi.yaml: 'main' is not supported by the local runtime"),
        (SAMPLE, "environment: [base]\n", "Pulumi.dev.yaml: 'environment' is not supported by the local runtime"),
    ],
)
def test_unusable_files_are_refused_in_one_line(tmp_path: Path, project: str, stack: str, message: str) -> None:
    with pytest.raises(DeployError, match=message) as caught:
        load_stack(write(tmp_path, project, dev=stack), "dev")
    assert "\n" not in str(caught.value)


def test_missing_project_file(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"no Pulumi\.yaml in"):
        load_stack(tmp_path, "dev")
