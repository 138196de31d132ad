"""``./cqrs up`` without the Pulumi CLI: programs of the same name stand in for it."""

from __future__ import annotations

import argparse
import json
import os
import socket
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.develop import up
from cli.develop.engine import ServedEngine, announced, engine_started
from cli.develop.errors import CommandError
from cli.develop.pulumi_cli import copy_program, find_cli, offline_environment, refusal
from tests.support.projects import shared_project

LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the "
    "lock file with `pulumi cancel`.\n  file:///s: created by me@here (pid 1) at 2026-11-30T05:00:00Z\n"
)


def program(folder: Path, name: str, text: str = "exit 0") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def refused(folder: Path) -> str:
    with pytest.raises(CommandError) as caught:
        find_cli(str(folder))
    return str(caught.value)


def test_a_missing_cli_is_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path) == "no pulumi on the PATH: install the Pulumi CLI, 3.272.0 or later"


@pytest.mark.parametrize("version", ["v3.271.9", "v2.900.0", "v3.99.1"])
def test_an_old_cli_is_one_line(tmp_path: Path, version: str) -> None:
    program(tmp_path, "pulumi", f"echo {version}")
    assert refused(tmp_path) == f"{tmp_path}/pulumi is {version}, which is too old: install 3.272.0 or later"


def test_something_else_of_that_name_is_one_line(tmp_path: Path) -> None:
    program(tmp_path, "pulumi", "echo hello")
    assert refused(tmp_path) == f"{tmp_path}/pulumi version printed 'hello', which is not a version"


def test_a_missing_language_host_is_one_line(tmp_path: Path) -> None:
    program(tmp_path, "pulumi", "echo v3.272.0")
    assert refused(tmp_path).startswith(f"{tmp_path}/pulumi has no pulumi-language-python next to it")


@pytest.mark.parametrize("version", ["v3.272.0", "v3.300.1", "v4.0.0", "3.274.1-alpha.1"])
def test_a_new_one_is_found(tmp_path: Path, version: str) -> None:
    program(tmp_path, "pulumi", f"echo {version}")
    program(tmp_path, "pulumi-language-python")
    cli = find_cli(str(tmp_path))
    assert (cli.program, cli.version) == (f"{tmp_path}/pulumi", version)
    assert cli.command("up")[:2] == [f"{tmp_path}/pulumi", "up"]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (
            LOCKED,
            "stack dev is locked by another update: wait for it, or if it was killed, ./cqrs up --stack dev --unlock",
        ),
        (
            "error: failed to load language plugin python: no language plugin 'pulumi-language-python' found in the "
            "workspace or on your $PATH\n",
            "the CLI finds no pulumi-language-python: install the complete Pulumi distribution, which contains it",
        ),
        (
            "error: failed to load checkpoint: EOF\n",
            "the last update of stack dev was killed while the engine wrote its state, which is lost: "
            "stop ./cqrs serve --engine and start it again",
        ),
        ("error: plugin random 4.1.0 not installed\n", "the CLI needs a plugin that the embedded runtime doesn't"),
        ("error: something else\n", None),
    ],
)
def test_known_refusals_are_one_line(output: str, line: str | None) -> None:
    said = refusal(output, "dev")
    assert said == line or (line and said and said.startswith(line))


def test_neither_backend_nor_credentials_of_the_user_are_reached(tmp_path: Path) -> None:
    mine = {"PATH": "/bin", "PULUMI_ACCESS_TOKEN": "secret", "PULUMI_BACKEND_URL": "s3://b", "AWS_PROFILE": "prod"}
    env = offline_environment(tmp_path, {"PULUMI_DEBUG_PROVIDERS": "aws:1"}, mine)
    assert {"PULUMI_ACCESS_TOKEN", "AWS_PROFILE"}.isdisjoint(env)
    assert env["PULUMI_BACKEND_URL"] == (tmp_path / "state").as_uri()
    assert env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert env["PULUMI_DEBUG_PROVIDERS"] == "aws:1"


def test_the_copy_follows_the_project_and_keeps_the_salt(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for package in ("contract", "handlers", "infra"):
        (source / package).mkdir(parents=True)
        (source / package / "a.py").write_text("")
    for name in ("__main__.py", "Pulumi.yaml"):
        (source / name).write_text("")
    (source / "Pulumi.dev.yaml").write_text("config:\n  cqrs:logLevel: INFO\n")
    folder = copy_program(source, tmp_path / "copy", ["Pulumi.dev.yaml"])
    stack_file = folder / "Pulumi.dev.yaml"
    stack_file.write_text(stack_file.read_text() + "encryptionsalt: v1:abc\n")
    (source / "infra" / "a.py").rename(source / "infra" / "b.py")
    (source / "Pulumi.dev.yaml").write_text("config:\n  cqrs:logLevel: DEBUG\n")
    copy_program(source, folder, ["Pulumi.dev.yaml"])
    assert [one.name for one in (folder / "infra").iterdir()] == ["b.py"]
    assert stack_file.read_text() == "encryptionsalt: v1:abc\nconfig:\n  cqrs:logLevel: DEBUG\n"
    assert (folder / ".venv" / "bin").is_dir()


def test_a_runtime_is_announced_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "engine.json"
    assert announced(file) is None
    with engine_started("dev", 0, file) as served:
        assert announced(file) == served
        assert Path(served.home).is_dir()
        with pytest.raises(CommandError, match=rf"another ./cqrs serve --engine is running \(process {os.getpid()}\)"):
            engine_started("dev", 0, file).__enter__()
    assert not file.exists()
    assert not Path(served.home).exists()
    file.write_text(json.dumps(asdict(served)))  # as one leaves it that was killed
    assert announced(file) is None


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=rf"port {port} .*\(--port\)"):
            engine_started("dev", port, tmp_path / "engine.json").__enter__()


def test_up_wants_a_runtime_of_the_stacks_region(tmp_path: Path) -> None:
    elsewhere = ServedEngine("http://127.0.0.1:1", "eu-west-1", 1, str(tmp_path), 1)
    with pytest.raises(CommandError, match="stack dev is for us-east-1, the runtime serves eu-west-1"):
        up.check_stack("dev", elsewhere, shared_project())
    with pytest.raises(CommandError, match="unknown stack 'live'"):
        up.check_stack("live", elsewhere, shared_project())


def test_up_without_a_runtime_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "pulumi", "echo v3.274.1")
    program(tmp_path, "pulumi-language-python")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = argparse.Namespace(stack="dev", preview=False, unlock=False)
    with pytest.raises(CommandError, match=r"no embedded runtime to deploy to: start \./cqrs serve --engine"):
        up.run(options, tmp_path / "engine.json")
