"""Physical names: what AWS takes, for every resource of a stack, before anything is declared."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import shutil
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.configuration.stack_config import ConfigError
from infra.naming import rules as name_rules
from infra.naming.names import Account, Names
from infra.naming.rules import NAME_RULES
from infra.physical_names import check_names, physical_names, taken_names
from local.deploy.errors import DeployError
from local.deploy.registrations import NAMED_BY
from tests.support.evaluation import ACCOUNT, PROJECT_DIR, Evaluation, evaluate_into, evaluated

WORKFLOWS = ("approval", "three_steps", "transfer")
MODULES = json.dumps([f"handlers.domain.{name}" for name in WORKFLOWS])


def copied(folder: Path, stack: str) -> Path:
    """The project with one stack's file."""
    for name in ("contract", "handlers", "infra"):
        shutil.copytree(PROJECT_DIR / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(PROJECT_DIR / name, folder / name)
    (folder / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    return folder


def declared_names(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """Type and physical name of every resource whose input names it, as far as it is named by the stack."""
    for one in evaluation.registrations:
        name = one.props.get(NAMED_BY.get(one.type, "name"))
        if one.custom and isinstance(name, str) and (one.type in NAME_RULES or "cqrs" in name):
            yield one.type, name


def test_edge_02_every_declared_name_is_among_those_that_are_checked() -> None:
    evaluation = evaluated("dev", {"handlerModules": MODULES})
    expected = [(one.type, one.name) for one in physical_names(Names("cqrs", "dev"), WORKFLOWS, ACCOUNT)]
    assert sorted(declared_names(evaluation)) == sorted(expected)


@pytest.mark.parametrize("stack", ["Prod", "feature_x", "prod.eu", "PROD"])
def test_edge_02_a_stack_name_that_aws_refuses_declares_nothing(tmp_path: Path, stack: str) -> None:
    evaluation = Evaluation(stack)
    with pytest.raises(DeployError) as caught:
        evaluate_into(evaluation, {}, project_dir=copied(tmp_path, stack))
    assert str(caught.value) == (
        f"stack {stack!r} is not allowed: it is part of the names of buckets, functions and queues; expected "
        "lower-case letters, digits and '-'"
    )
    assert evaluation.registrations == []


def test_edge_02_a_stack_name_that_is_too_long_names_what_is_allowed(tmp_path: Path) -> None:
    evaluation = Evaluation("s" * 40)
    with pytest.raises(DeployError) as caught:
        evaluate_into(evaluation, {}, project_dir=copied(tmp_path, "s" * 40))
    assert str(caught.value) == (
        f"stack {'s' * 40!r} has 40 characters; expected at most 35 with the project 'cqrs': the role "
        f"'cqrs-{'s' * 40}-command-handler-express' would have 69, at most 64"
    )
    assert evaluation.registrations == []


def test_edge_02_the_length_that_is_named_is_the_longest_that_is_taken() -> None:
    check_names(Names("cqrs", "s" * 35), ())
    with pytest.raises(ConfigError):
        check_names(Names("cqrs", "s" * 36), ())
    longest = "w" * 40
    check_names(Names("cqrs", "s" * 18), [longest])
    with pytest.raises(ConfigError, match=r"at most 18 with the project 'cqrs': the role 'cqrs-s+-w+' would have"):
        check_names(Names("cqrs", "s" * 19), [longest])
    with pytest.raises(ConfigError, match="expected a shorter project name with the project 'ppp"):
        check_names(Names("p" * 60, "s"), ())


def test_edge_02_the_characters_that_are_named_are_those_that_are_taken() -> None:
    """Whatever the words allow passes every resource's rule, and nothing else does."""
    for character in string.printable:
        good = all(
            NAME_RULES[one.type].problem(one.name) is None
            for one in physical_names(Names("cqrs", f"a{character}b"), WORKFLOWS)
        )
        if re.fullmatch("[a-z0-9-]", character):
            check_names(Names("cqrs", f"a{character}b"), WORKFLOWS)
            assert good, character
        else:
            with pytest.raises(ConfigError, match=r"stack .* is not allowed"):
                check_names(Names("cqrs", f"a{character}b"), WORKFLOWS)
            assert not good, character


@pytest.mark.parametrize(
    ("project", "problem"),
    [
        ("My_App", "project 'My_App' is not allowed: it is part of the names"),
        ("-app", "project '-app' is not allowed"),
        (
            "xn--app",
            "bucket: bucket 'xn--app-dev-store-000000000000' is not allowed; expected .* made of project, stack",
        ),
    ],
)
def test_edge_02_the_project_is_part_of_the_names_too(project: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        check_names(Names(project, "dev"), ())


#: Type to a service's model in botocore, and there the shape and whether it is a name alone (some are also ARNs).
MODELS = {
    name_rules.EVENT_RULE: ("events/2015-10-07", "RuleName", True),
    name_rules.EVENT_BUS: ("events/2015-10-07", "EventBusName", True),
    name_rules.LOG_GROUP: ("logs/2014-03-28", "LogGroupName", True),
    name_rules.METRIC_ALARM: ("cloudwatch/2010-08-01", "AlarmName", False),
    name_rules.ROLE: ("iam/2010-05-08", "roleNameType", True),
    name_rules.STATE_MACHINE: ("stepfunctions/2016-11-23", "Name", False),
}


@pytest.mark.parametrize("type_", MODELS)
def test_edge_02_lengths_and_patterns_agree_with_the_services_models(type_: str) -> None:
    folder, shape, has_pattern = MODELS[type_]
    root = Path(importlib.util.find_spec("botocore").origin).parent / "data" / folder  # type: ignore[union-attr, arg-type]
    model = json.loads(gzip.decompress((root / "service-2.json.gz").read_bytes()))["shapes"][shape]
    rule = NAME_RULES[type_]
    assert (rule.shortest, rule.longest) == (model["min"], model["max"])
    assert ("pattern" in model) == has_pattern
    for character in string.printable if has_pattern else ():
        name = f"a{character}b"
        assert (rule.problem(name) is None) == bool(re.fullmatch(model["pattern"], name)), (type_, character)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("abc", True),
        ("a.b-c", True),
        ("ab", False),
        ("a" * 64, False),
        ("Abc", False),
        ("a_b", False),
        ("-abc", False),
        ("abc-", False),
        ("a..b", False),
        ("192.168.1.1", False),
        ("xn--abc", False),
        ("sthree-abc", False),
        ("amzn-s3-demo-abc", False),
        ("abc-s3alias", False),
        ("abc--ol-s3", False),
        ("abc--x-s3", False),
    ],
)
def test_edge_02_bucket_names_follow_the_user_guide(name: str, good: bool) -> None:
    assert (NAME_RULES[name_rules.BUCKET].problem(name) is None) == good


def test_edge_03_a_workflow_named_like_something_of_the_stack_stops_the_program(tmp_path: Path) -> None:
    folder = copied(tmp_path, "dev")
    for suffix in (".py", ".asl.json"):
        source = (PROJECT_DIR / "tests" / "modules" / f"three_steps{suffix}").read_text(encoding="utf-8")
        (folder / "handlers" / "domain" / f"Loader{suffix}").write_text(source.replace("three_steps", "Loader"))
    shutil.move(folder / "handlers" / "domain" / "Loader.py", folder / "handlers" / "domain" / "mine.py")
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError, match=r"workflow name 'Loader' is not allowed; the stack's function has this"):
        evaluate_into(evaluation, {"handlerModules": '["handlers.domain.mine"]'}, project_dir=folder)
    assert evaluation.registrations == []


def test_edge_03_every_name_of_the_stack_is_taken() -> None:
    taken = taken_names()
    assert {"events", "command-handler", "commands", "main-topic", "sweep", "store", "dashboard"} <= set(taken)
    assert (taken["events"], taken["import-csv"], taken["stream-failures"]) == ("event bus", "state machine", "queue")


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_is_the_partitions(partition: str, region: str, host: str) -> None:
    assert Account(partition, region, "1" * 12).console == host
