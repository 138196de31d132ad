"""The CLI's rules of project and stack files: files that it refuses, files that it takes.

Each case was also given to the CLI's own code (Go packages sdk/v3/go/common/workspace and pkg/v3/workspace, v3.274.1),
which refused the same ones, except those marked as ours, and gave the same texts for the others.

Not given to it: what can't be read (circular aliases, tags, long numbers, deep nesting, ``0o_``) and secrets inside of
values. These follow yaml.v3's ``resolve.go`` and ``decode_test.go`` and Pulumi's ``resource/config/value.go``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from local.deploy.errors import DeployError
from local.deploy.project import load_stack
from local.deploy.yaml_files import read_mapping

PROJECT_DIR = Path(__file__).resolve().parents[4]
SAMPLE = "name: sample\nruntime: python\n"
ARRAY = "key: {type: array, items: {type: string}, default: []}"
DEEP = "key: {type: array, items: {type: array, items: {type: integer}}, default: [[1], [2, 3]]}"
#: Refused here though the CLI passes over them: they would have no effect, or one that is chance.
OURS = "ours"


class Case(NamedTuple):
    """What stands in ``config`` of the project, in that of the stack, and what the refusal says."""

    project: str
    stack: str
    message: str
    note: str = ""


REFUSED = {
    "missing": Case("key: {type: string}", "", "Pulumi.dev.yaml: missing configuration value sample:key"),
    "missing-untyped": Case("key: {description: d}", "", "missing configuration value sample:key"),
    "missing-null": Case("key: {type: string, default: null}", "", "missing configuration value sample:key"),
    "unknown-type": Case("key: {type: number, default: 1}", "", 'sample:key: type: "number" is not allowed'),
    "unknown-field": Case("key: {type: string, defualt: a}", "", "'defualt' is not a field .* mean 'default'"),
    "array-no-items": Case("key: {type: array, default: []}", "", "an array needs items"),
    "items-no-type": Case("key: {type: array, items: {}, default: []}", "", "items: has no type"),
    "items-of-items": Case("key: {type: array, items: {type: array}, default: []}", "", "items: an array needs items"),
    "default-type": Case("key: {type: integer, default: a}", "", 'default: "a" is not allowed; expected type integer'),
    "default-items": Case("key: {type: array, items: {type: string}, default: [1]}", "", "expected type array<string>"),
    "default-and-value": Case("key: {default: a, value: b}", "", "has both a default and a value"),
    "float": Case("key: 1.5", "", "1.5 is neither value nor declaration"),
    "null": Case("key:", "", "null is neither value nor declaration"),
    "text-as-description": Case("key: {default: a, description: 1}", "", "description: 1 is no text"),
    "foreign-type": Case("aws:region: {type: string, value: a}", "", "a key of another namespace has no type"),
    "foreign-default": Case("aws:region: {default: a}", "", "a key of another namespace has no default"),
    "foreign-nothing": Case("aws:region: {description: d}", "", "a key of another namespace needs a value"),
    "key-form": Case("a:b:c: d", "", "'a:b:c' is not a key"),
    "stack-key-form": Case("", "a:b:c: d", "'a:b:c' is not a key"),
    "stack-type": Case("key: {type: integer, default: 1}", "key: a", 'sample:key: "a" is not allowed; expected type'),
    "stack-float": Case("key: {type: integer, default: 1}", "key: 1.5", "sample:key: 1.5 is not allowed"),
    "stack-yes": Case("key: {type: boolean, default: true}", "key: yes", 'sample:key: "yes" is not allowed'),
    "stack-array": Case(ARRAY, "key: a", "expected type array<string>"),
    "stack-items": Case(ARRAY, "key: [a, 1]", "expected type array<string>"),
    "stack-deep": Case(DEEP, "key: [[a]]", "expected type array<array<integer>>"),
    "stack-object": Case("key: {type: object, default: {}}", "key: [a]", "expected type object"),
    "secret-plain": Case("key: {type: string, secret: true}", "key: a", "must be encrypted"),
    "secret-default": Case("key: {type: string, secret: true, default: a}", "", "must be encrypted"),
    "twice": Case("", "key: a\n  key: b", "the key 'key' occurs twice, in line 2 and line 3"),
    "project-twice": Case("key: {default: a}\n  key: {default: b}", "", "the key 'key' occurs twice"),
    "nested-twice": Case("", "key: {a: 1, a: 2}", "the key 'a' occurs twice"),
    "two-namespaces": Case("", "key: a\n  sample:key: b", "sample:key is there twice, once without", OURS),
    "project-two-namespaces": Case("key: a\n  sample:key: b", "", "sample:key is there twice, once without", OURS),
    "stack-null": Case("", "key:", "sample:key: has no value", OURS),
    "stack-date": Case("", "key: 2026-01-31", "read as a date; write it in quotes", OURS),
    "circular-object": Case("", "key: &c {a: *c}", "dev.yaml: line 2: \\*c is inside the value that it refers to"),
    "circular-list": Case("", "key: &c [[*c]]", "dev.yaml: line 2: \\*c is inside the value that it refers to"),
    "set": Case("", "key: !!set {a}", "dev.yaml: line 2: the tag 'set' is not allowed; expected one of str, int", OURS),
    "binary": Case("", "key: !!binary YQ==", "dev.yaml: line 2: the tag 'binary' is not allowed", OURS),
    "own-tag": Case("", "key: !mine a", "dev.yaml: line 2: the tag '!mine' is not allowed", OURS),
    "no-int": Case("", 'key: !!int "abc"', "dev.yaml: line 2: 'abc' can't be read as int"),
    "empty-int": Case("", 'key: !!int ""', "dev.yaml: line 2: '' can't be read as int"),
    "no-bool": Case("", 'key: !!bool "abc"', "dev.yaml: line 2: 'abc' can't be read as bool"),
    "no-float": Case("", 'key: !!float "abc"', "dev.yaml: line 2: 'abc' can't be read as float"),
    "infinite": Case("", "key: 1e999", "dev.yaml: line 2: '1e999' can't be read as float", OURS),
    "5000-digits": Case(
        "", f"key: {'1' * 5000}", "line 2: '1{40}'... \\(5000 characters\\) can't be read as int", OURS
    ),
    "nested-3000": Case("", f"key: {'[' * 3000}", "dev.yaml: its lists and mappings are nested too deeply", OURS),
    "nested-3000-closed": Case("", f"key: {'[' * 3000}{']' * 3000}", "are nested too deeply", OURS),
    "project-nested": Case(f"key: {'[' * 3000}", "", "Pulumi.yaml: its lists and mappings are nested too deep", OURS),
    "400-digits": Case("key: {type: boolean, default: true}", f"key: {'1' * 400}", "expected type boolean"),
    "no-text-as-key": Case("", "1: a", "a key that is not a string"),
}
TAKEN = {
    "default": Case("key: {type: string, default: a}", "", "a"),
    "set": Case("key: {type: string}", "key: b", "b"),
    "set-with-namespace": Case("key: {type: string}", "sample:key: b", "b"),
    "old-form": Case("key: {type: string}", "sample:config:key: b", "b"),
    "short": Case("key: a", "", "a"),
    "short-list": Case("key: [a]", "", '["a"]'),
    "untyped-list": Case("key: {default: []}", "", "[]"),
    "untyped-object": Case("key: {default: {}}", "key: {b: {c: 1}}", '{"b":{"c":1}}'),
    "object": Case("key: {type: object, default: {}}", "key: {b: 1}", '{"b":1}'),
    "integer-as-text": Case("key: {type: integer, default: 1}", "key: '5'", "5"),
    "integer-with-dot": Case("key: {type: integer, default: 1}", "key: 5.0", "5"),
    "boolean-as-text": Case("key: {type: boolean, default: true}", "key: 'false'", "false"),
    "number-for-text": Case("key: {type: string, default: a}", "key: 5", "5"),
    "yes-is-a-text": Case("key: {type: string, default: a}", "key: yes", "yes"),
    "no-sexagesimal": Case("key: {type: string, default: a}", "key: 1:30", "1:30"),
    "no-octal": Case("key: {type: string, default: a}", "key: 0o_", "0o_"),
    "no-hexadecimal": Case("key: {type: string, default: a}", "key: 0x_", "0x_"),
    "octal": Case("key: {type: integer, default: 1}", "key: 0o1_7", "15"),
    "400-digits": Case("key: {type: integer, default: 1}", f"key: {'1' * 400}", "1" * 400),
    "tagged": Case("key: {type: string, default: a}", "key: !!str 5", "5"),
    "alias-beside": Case("key: {default: {}}", "key: {a: &c [1], b: *c}", '{"a":[1],"b":[1]}'),
    "array": Case(ARRAY, "key: [a, b]", '["a","b"]'),
    "deep-array": Case(DEEP, "", "[[1],[2,3]]"),
}


def write(folder: Path, case: Case) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"{SAMPLE}config:\n  {case.project}\n" if case.project else SAMPLE)
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n  {case.stack}\n" if case.stack else "")
    return folder


@pytest.mark.parametrize("name", REFUSED)
def test_edge_01_what_the_cli_refuses_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeployError, match=REFUSED[name].message) as caught:
        load_stack(write(tmp_path, REFUSED[name]), "dev")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("Pulumi.")


@pytest.mark.parametrize("name", TAKEN)
def test_edge_01_what_the_cli_takes_is_taken(tmp_path: Path, name: str) -> None:
    assert load_stack(write(tmp_path, TAKEN[name]), "dev").config == {"sample:key": TAKEN[name].message}


SECRET = {
    "whole": Case("key: {type: object, default: {}}", "key: {secure: AAAB}", ""),
    "in-an-object": Case("key: {type: object, default: {}}", "key: {commands: {secure: AAAB}}", ""),
    "in-a-list": Case(ARRAY, "key: [{secure: AAAB}]", ""),
    "deep": Case("key: {default: {}}", "key: {a: [b, {c: {secure: AAAB}}]}", ""),
    "of-another-type": Case("key: {type: integer, default: 1}", "key: {commands: {secure: AAAB}}", ""),
}


@pytest.mark.parametrize("name", SECRET)
def test_edge_01_a_secret_anywhere_in_a_value_is_refused_and_not_shown(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeployError) as caught:
        load_stack(write(tmp_path, SECRET[name]), "dev")
    told = "sample:key: is encrypted and can't be read locally; override it"
    assert str(caught.value) == f"Pulumi.dev.yaml: {told}"


@pytest.mark.parametrize(
    ("declared", "field"),
    [
        ("key: {default: {secure: AAAB}}", "default: "),
        ("key: {type: string, default: {secure: AAAB}}", "default: "),
        ("key: {type: string, secret: true, default: {secure: AAAB}}", "default: "),
        ("key: {type: object, default: {a: [{secure: AAAB}]}}", "default: "),
        ("key: {value: {secure: AAAB}}", "value: "),
        ("aws:profile: {value: {secure: AAAB}}", "value: "),
        ("key: [{secure: AAAB}]", ""),
    ],
)
def test_edge_01_a_secret_in_the_project_s_file_is_refused_and_not_shown(
    tmp_path: Path, declared: str, field: str
) -> None:
    name = declared.partition(": ")[0]
    name = name if ":" in name else f"sample:{name}"
    with pytest.raises(DeployError) as caught:
        load_stack(write(tmp_path, Case(declared, "", "")), "dev")
    told = "is encrypted, which only values of a stack's file are; put it into Pulumi.<stack>.yaml"
    assert str(caught.value) == f"Pulumi.yaml: config: {name}: {field}{told}"


def test_edge_01_every_key_of_the_project_has_a_default() -> None:
    """The CLI refuses every stack that lacks a value for a key without one."""
    declared = read_mapping(PROJECT_DIR / "Pulumi.yaml")["config"]
    assert [key for key, one in declared.items() if one.get("default") is None] == []
    assert declared["statusDetail"]["default"] == "auto"


def test_edge_01_an_empty_stack_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text((PROJECT_DIR / "Pulumi.yaml").read_text())
    (tmp_path / "Pulumi.new.yaml").write_text("")
    assert load_stack(tmp_path, "new").config["cqrs:statusDetail"] == "auto"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("name: ''\nruntime: python", 'name: "" is not allowed'),
        ("name: 1a\nruntime: python", 'name: "1a" is not allowed'),
        ("name: a b\nruntime: python", 'name: "a b" is not allowed'),
        (f"name: {'a' * 101}\nruntime: python", "is not allowed; expected 1 to 100 letters"),
        ("name: sample", "it has no runtime"),
        ("name: sample\nruntime: 1", "runtime: 1 is not allowed"),
        ("name: sample\nruntime: {name: python, optoins: {}}", "runtime: 'optoins' is not a field of this file"),
        (f"{SAMPLE}confg: {{}}", "'confg' is not a field of this file; did you mean 'config'?"),
        (f"{SAMPLE}config: [a]", r'config: \["a"\] is not allowed'),
    ],
)
def test_project_files_that_are_refused(tmp_path: Path, document: str, message: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(document)
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    with pytest.raises(DeployError, match=message):
        load_stack(tmp_path, "dev")


def test_fields_of_a_stack_file_that_have_no_effect(tmp_path: Path) -> None:
    write(tmp_path, Case("", "", ""))
    (tmp_path / "Pulumi.dev.yaml").write_text("cofig:\n  key: a\n")
    with pytest.raises(
        DeployError, match=r"Pulumi\.dev\.yaml: 'cofig' is not a field of this file; did you mean 'conf"
    ):
        load_stack(tmp_path, "dev")


def test_all_problems_at_once(tmp_path: Path) -> None:
    case = Case("a: {type: integer}\n  b: {type: integer, default: 1}", "b: x", "")
    with pytest.raises(DeployError) as caught:
        load_stack(write(tmp_path, case), "dev")
    assert [line.partition(" is not")[0] for line in str(caught.value).splitlines()] == [
        "Pulumi.dev.yaml: missing configuration value sample:a: Pulumi.yaml declares it without a default",
        'Pulumi.dev.yaml: sample:b: "x"',
    ]
