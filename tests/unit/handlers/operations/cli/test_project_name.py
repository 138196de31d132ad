"""The project's name, which operators' commands read from ``Pulumi.yaml`` where ``--project`` is not given."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cli.__main__ import parser_of
from cli.commands import FOR_OPERATORS
from cli.errors import CommandError
from cli.operate.stack import default_project

OPERATORS = list(FOR_OPERATORS)


@pytest.mark.parametrize(
    "text",
    [
        b"name: sample\n",
        b'name: "sample"\n',
        b"name: 'sample'  # ours\n",
        b"\xef\xbb\xbfname: sample\r\nruntime: python\r\n",
        b"# name: other\ndescription: |\n  name: another\nname: sample # c\n",
        b"{name: sample, runtime: python}",
    ],
)
def test_edge_01_the_name_is_read_as_the_cli_reads_it(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(text)
    assert default_project(tmp_path) == "sample"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "Pulumi.yaml: No such file or directory; give --project"),
        (b"", "Pulumi.yaml has no name; give --project"),
        (b"name:\n", "Pulumi.yaml has no name; give --project"),
        (b"name: [a]\n", "Pulumi.yaml has no name; give --project"),
        (b"- name: a\n", "Pulumi.yaml has no name; give --project"),
        (b"name: 'a\n", "Pulumi.yaml is not YAML: "),
        (b"name: \xff\n", "Pulumi.yaml is not YAML: "),
        (b"[" * 3000, "Pulumi.yaml is not YAML: "),
    ],
)
def test_edge_01_a_file_without_a_name_is_one_line(tmp_path: Path, text: bytes | None, told: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.yaml").write_bytes(text)
    with pytest.raises(CommandError) as caught:
        default_project(tmp_path)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", OPERATORS)
def test_edge_01_help_needs_no_project(command: str) -> None:
    """The file is read when the command runs, not to list its options."""
    parsers = leaves(parser_of(command))
    assert (len(parsers) > 1) == (command in ("imports", "tasks"))
    for parser in parsers:
        (project,) = (option for option in parser._actions if option.dest == "project")
        assert project.default is None, parser.prog
        assert "--project" in parser.format_help()


def leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The command, or its actions (``imports list``), which have the options."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return [leaf for one in action.choices.values() for leaf in leaves(one)]
    return [parser]
