"""INF-03: every key of the configuration: what is refused, with which words; what Pulumi.yaml says of it."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import yaml

from infra.configuration.keys import AWS
from infra.configuration.stack_config import NAMESPACE, ConfigError, StackConfig
from infra.refusal import USER_WAS_TOLD, Refused
from local.deploy.errors import DeployError
from tests.support.evaluation import PROJECT_DIR, Evaluation, evaluate_into

DAYS = {"commands": {"default": 1, "t1/ORDER": 2, "*/ORDER": 3, "t1/*": 4}, "data": 36_500}

#: Wrong for every whole number; the bounds have a test of their own.
NO_NUMBER = [-1, "1", 1.5, True, None, [1]]
TARGET: dict[str, Any] = {
    "id": "search",
    "types": ["ORDER"],
    "kind": "sqs",
    "arn": "arn:aws:sqs:eu-west-1:123456789012:search",
}
#: Key to values that are not allowed; those of whole numbers are added below.
CASES: dict[str, list[Any]] = {
    "handlerModules": [
        "handlers.domain.orders",
        ["handlers"],
        ["handlers.core.keys"],
        ["contract.tables"],
        ["Os"],
        ["handlers.domain"],
        ["handlers.domain.a-b"],
        ["handlers.domain.a", "handlers.domain.a"],
        [1],
        None,
    ],
    "commandWorkflow": ["", "standard", "BOTH", "inline", 1, None],
    "inlineThreads": [0, 11, "8", True, None],
    "inlineTargetSeconds": [0, 21, 1.5, True],
    "inlineParallelizationFactor": [0, 11, True],
    "inlineBatchWindowSeconds": [-1, 61, 0.5, True],
    "statusDetail": ["", "FULL", "some", 1, True, None, ["full"]],
    "statusEvents": ["", "Terminal", "some", 0, True, None],
    "syncTargets": [
        "search",
        {},
        [1],
        [{"id": "search"}],
        [TARGET, TARGET],
        [{**TARGET, "more": 1}],
        [{**TARGET, "id": "data"}],
        [{**TARGET, "id": "Search"}],
        [{**TARGET, "types": []}],
        [{**TARGET, "types": ["A#B"]}],
        [{**TARGET, "kind": "http"}],
        [{**TARGET, "kind": "lambda"}],
        [{**TARGET, "arn": "*"}],
        [{**TARGET, "arn": TARGET["arn"] + "/*"}],
    ],
    "applicationPackages": ["src/acme", ["/acme"], ["../acme"], ["src/"], ["acme-x"], ["a", "a"], [1], None],
    "entityTypes": ["BOOK", ["A#B"], ["BOOK", "BOOK"], [1], [""], None],
    "handlerEnvironment": [["A"], "A=1", {"AWS_REGION": "x"}, {"1A": "x"}, {"A": 1}, {"LOG_LEVEL": "x"}, None],
    "handlerSecrets": [["a"], {"A": "arn"}, {"a": "text"}, {"a": TARGET["arn"]}, {"a": None}, None],
    "handlerPermissions": [
        {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/*"]},
        [{"actions": ["s3:*"], "resources": ["arn:aws:s3:::b/*"]}],
        [{"actions": ["s3:GetObject"], "resources": ["b"]}],
        [{"actions": ["s3:GetObject"], "resources": ["*"]}],
        [{"actions": ["s3:GetObject"]}],
        None,
    ],
    "importBuckets": ["files", ["Files"], ["a"], ["a/b"], ["files", "files"], [f"files-{n}" for n in range(11)], None],
    "ttlDays": [
        90,
        [],
        "commands",
        {"tasks": 1},
        {"commands": 0},
        {"commands": -1},
        {"commands": 36_501},
        {"commands": 1.5},
        {"commands": True},
        {"commands": {"default": 0}},
        {"commands": {"ORDER": 1}},
        {"commands": {"*/*": 1}},
        {"commands": {"t1/ORDER": 0}},
        {"commands": {"t#1/ORDER": 1}},
    ],
    "logLevel": ["", "info", "TRACE", 10, None],
    "logRetentionDays": [0, -1, 2, 181, "180", True, None],
    "workflowLogLevel": ["", "all", "DEBUG", None],
    "tracing": [1, 0, "true", None],
    "lambdaArchitecture": ["", "arm", "ARM64", None],
    "lambdaRuntime": ["", "python3.10", "python", "nodejs22.x", None],
    "pointInTimeRecovery": ["yes", 1, None],
    "deletionProtection": ["no", 0, None],
    "forceDestroy": ["no", 0, None],
    "bucketAccessLog": ["Logs", "a", "logs/x", ["logs"], None],
    "kmsKey": ["", "AWS", "alias/mine", True, None],
    "apiEnabled": ["no", 0, None],
    "consoleEnabled": ["yes", 1, None],
    "apiIssuer": ["issuer", "http://issuer.example", "https://", "https://a b", "https://issuer.example?x=1", 1, None],
    "apiAudience": ["shop", ["shop", "shop"], [""], ["a b"], [1], [f"a{n}" for n in range(51)], None],
    "apiTenantClaim": ["", "a b", "x" * 101, 1, None],
    "apiRoleClaim": ["", "a b", ["roles"], None],
    "apiTenants": [
        [],
        {"*": {"tenants": ["t1"], "roles": ["reader"]}},
        {"arn:aws:sts::123456789012:assumed-role/a/b": {"tenants": ["t1"], "roles": ["reader"]}},
        {"arn:aws:iam::123456789012:role/a": {"tenants": ["t1"]}},
        {"arn:aws:iam::123456789012:role/a": {"tenants": [], "roles": ["reader"]}},
        {"arn:aws:iam::123456789012:role/a": {"tenants": ["a#b"], "roles": ["reader"]}},
        {"arn:aws:iam::123456789012:role/a": {"tenants": "t1", "roles": ["reader"]}},
        {"arn:aws:iam::123456789012:role/a": {"tenants": ["t1"], "roles": ["admin"]}},
        {"arn:aws:iam::123456789012:role/a": {"tenants": ["t1"], "roles": ["reader"], "more": 1}},
        1,
        None,
    ],
    "apiCorsOrigins": [
        "https://shop.example",
        ["*"],
        ["https://shop.example/"],
        ["http://shop.example"],
        ["https://Shop.example"],
        ["https://shop.example", "https://shop.example"],
        None,
    ],
    "kmsKeyArn": ["key", "arn:aws:kms:us-east-1:123456789012:alias/mine", "arn:aws:s3:::b", 1, None],
    "alarmEmails": ["ops@example.com", ["ops"], ["a@example.com", "a@example.com"], ["a b@example.com"], [1], None],
}
KEYS = StackConfig.keys()
SCHEMA = yaml.safe_load((PROJECT_DIR / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
WHOLE_NUMBERS = sorted(key for key in KEYS if SCHEMA[key].get("type") == "integer")
WRONG = {**dict.fromkeys(WHOLE_NUMBERS, NO_NUMBER), **CASES}
REFUSED = [(key, value) for key, values in WRONG.items() for value in values]


def test_inf_03_every_key_has_wrong_values() -> None:
    missing, unknown = set(KEYS) - set(WRONG), set(WRONG) - set(KEYS)
    assert not missing, f"add values that must be refused for {', '.join(sorted(missing))}"
    assert not unknown, f"not keys any more: {', '.join(sorted(unknown))}"
    assert all(WRONG.values())


@pytest.mark.parametrize(("key", "value"), REFUSED, ids=[f"{key}={json.dumps(value)}" for key, value in REFUSED])
def test_inf_03_a_wrong_value_names_key_value_and_what_is_allowed(key: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({key: value})
    (line,) = caught.value.problems
    text = json.dumps(value)
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    if key == "handlerSecrets":
        shown = "its value"  # which may be the secret
    assert line.startswith(f"{NAMESPACE}:{key}: {shown} is not allowed; expected ")
    assert line.partition("; expected ")[2], line


@pytest.mark.parametrize("key", sorted(KEYS))
def test_inf_03_a_wrong_value_is_refused_before_any_resource(key: str) -> None:
    """Through the program, as the Pulumi CLI hands it over: text."""
    wrong = WRONG[key][0]
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError, match=f"{NAMESPACE}:{key}: "):
        evaluate_into(evaluation, {f"{NAMESPACE}:{key}": wrong if isinstance(wrong, str) else json.dumps(wrong)})
    assert evaluation.registrations == []


@pytest.mark.parametrize("key", WHOLE_NUMBERS)
def test_inf_03_bounds_are_as_documented(key: str) -> None:
    """The bounds in the refusal and in Pulumi.yaml are the real ones."""
    check = next(one for one in fields(StackConfig) if one.name == KEYS[key]).metadata["check"]
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({key: -1})
    (line,) = caught.value.problems
    bounds = re.search(r"expected a whole number from (\d+) to (\d+)$", line)
    if bounds is None:
        allowed = [int(one) for one in line.rpartition("one of ")[2].split(", ")]
        assert [check(one) for one in allowed] == allowed
        return
    low, high = int(bounds[1]), int(bounds[2])
    assert (check(low), check(high)) == (low, high)
    for outside in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=f"{NAMESPACE}:{key}: {outside} is not allowed"):
            StackConfig.from_mapping({key: outside})
    described = {int(number) for number in re.findall(r"\d+", SCHEMA[key]["description"])}
    assert {low, high} <= described, f"Pulumi.yaml: the description of {key} must name {low} and {high}"


def test_inf_03_pulumi_yaml_declares_the_same_keys_and_defaults() -> None:
    assert set(SCHEMA) == set(KEYS)
    for one in fields(StackConfig):
        key = next(name for name, attribute in KEYS.items() if attribute == one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        expected = list(default) if isinstance(default, tuple) else default
        assert SCHEMA[key]["default"] == expected, key
        assert SCHEMA[key]["description"], key


def test_inf_03_pulumi_yaml_declares_the_same_types() -> None:
    """Objects have no type there."""
    types = {bool: "boolean", int: "integer", str: "string", tuple: "array"}
    hints = get_type_hints(StackConfig)
    for key, attribute in KEYS.items():
        hint = hints[attribute]
        origin = get_origin(hint) or hint
        expected = types.get(origin)
        if origin is tuple and get_args(hint) != (str, ...):
            expected = None
        assert SCHEMA[key].get("type") == expected, key
        if expected == "array":
            assert SCHEMA[key]["items"] == {"type": "string"}, key


def test_inf_03_defaults_are_allowed() -> None:
    given = {key: SCHEMA[key]["default"] for key in KEYS}
    assert StackConfig.from_mapping(given) == StackConfig() == StackConfig.from_mapping({})


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("waitPolSeconds", "cqrs:waitPolSeconds is not a known key; did you mean cqrs:waitPollSeconds?"),
        ("loglevel", "cqrs:loglevel is not a known key; did you mean cqrs:logLevel?"),
        ("zzz", f"cqrs:zzz is not a known key; known: {', '.join(sorted(KEYS))}"),
    ],
)
def test_inf_03_an_unknown_key_gets_a_suggestion(key: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({key: 1})
    assert caught.value.problems == [text]


def test_inf_03_a_protected_stack_is_not_destroyed_by_force() -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({"forceDestroy": True, "deletionProtection": True})
    expected = "true is not allowed with deletionProtection true; expected one of them"
    assert caught.value.problems == [f"cqrs:forceDestroy: {expected}"]
    assert StackConfig.from_mapping({"forceDestroy": True}).force_destroy


def test_inf_03_contradictions_name_both_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({"waitPollSeconds": 60, "waitLimitHours": 26})
    assert caught.value.problems == [
        "cqrs:waitPollSeconds: 60 is not allowed with waitLimitHours 26; expected waitLimitHours x 3600 / "
        "waitPollSeconds of at most 1500, this is 1560"
    ]
    assert StackConfig.from_mapping({"waitPollSeconds": 60, "waitLimitHours": 25}).wait_limit_hours == 25


def test_inf_03_all_problems_at_once_and_long_values_shortened() -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({"leaseSeconds": 1, "tracing": "yes", "tracin": 1, "logLevel": "L" * 200})
    assert len(caught.value.problems) == 4
    assert all(len(problem) < 500 for problem in caught.value.problems)
    assert "L" * 100 not in str(caught.value)


def test_inf_03_settings_of_provider_and_engine_are_not_ours() -> None:
    others = {"aws:region": "eu-west-1", "aws:defaultTags": '{"tags":{}}', "pulumi:tags": '{"a":"b"}'}
    assert StackConfig.from_texts({**others, "cqrs:tracing": "true"}).tracing is True


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("logLevel", "logLevel is not a known key; did you mean cqrs:logLevel?"),
        ("cqr:logLevel", "cqr:logLevel is not a known key; did you mean cqrs:logLevel?"),
        ("CQRS:loglevel", "CQRS:loglevel is not a known key; did you mean cqrs:logLevel?"),
        ("aws:region2", "aws:region2 is not a known key; did you mean aws:region?"),
        ("asw:region", "asw:region is not a known key; did you mean aws:region?"),
        ("aws:logLevel", "aws:logLevel is not a known key; did you mean cqrs:logLevel?"),
        ("pulumi:autonamin", "pulumi:autonamin is not a known key; did you mean pulumi:autonaming?"),
        ("zzz:qqq", "zzz:qqq is not a known key; namespaces are cqrs, aws, pulumi"),
    ],
)
def test_edge_06_keys_that_nothing_reads_are_refused_with_the_nearest(key: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_texts({key: "DEBUG"})
    assert caught.value.problems == [line]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"apiIssuer": "https://issuer.example"}, "cqrs:apiIssuer and cqrs:apiAudience: expected both or neither"),
        ({"apiAudience": ["shop"]}, "cqrs:apiIssuer and cqrs:apiAudience: expected both or neither"),
        (
            {"apiEnabled": False, "consoleEnabled": True},
            "cqrs:consoleEnabled: true is not allowed with apiEnabled false; the console needs the API",
        ),
        (
            {"consoleEnabled": True},
            "cqrs:consoleEnabled: true is not allowed without cqrs:apiIssuer; callers in a browser have tokens"
            " (decision record 0265)",
        ),
    ],
)
def test_inf_03_what_does_not_go_together_at_the_api(given: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping(given)
    assert caught.value.problems == [line]


def test_edge_06_the_namespace_is_the_projects_name() -> None:
    assert StackConfig.from_texts({"orders:logLevel": "DEBUG"}, "orders").log_level == "DEBUG"
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_texts({"cqrs:logLevel": "DEBUG", "orders:tracing": "yes"}, "orders")
    assert caught.value.problems == [
        "cqrs:logLevel is not a known key; did you mean orders:logLevel?",
        'orders:tracing: "yes" is not allowed; expected true or false',
    ]


def test_edge_06_a_key_that_nothing_reads_stops_the_program() -> None:
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError, match=r"^cqr:logLevel is not a known key; did you mean cqrs:logLevel\?$"):
        evaluate_into(evaluation, {"cqr:logLevel": "DEBUG"})
    assert evaluation.registrations == []


def test_edge_06_the_providers_keys_are_those_of_the_installed_one() -> None:
    package = Path(importlib.util.find_spec("pulumi_aws").origin).parent  # type: ignore[union-attr, arg-type]
    source = (package / "config" / "vars.py").read_text(encoding="utf-8")
    named = re.findall(r"__config__\.get(?:_bool|_int|_float)?\('(\w+)'\)", source)
    assert sorted(set(named)) == sorted(AWS)


def test_edge_04_a_json_value_with_a_key_twice_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_texts({"cqrs:ttlDays": '{"commands": 1, "commands": 2}'})
    assert caught.value.problems == ["cqrs:ttlDays: the key 'commands' occurs 2 times in one object"]


def test_ttl_days_are_normalised() -> None:
    assert StackConfig.from_mapping({"ttlDays": DAYS}).ttl_days == {
        "commands": {"default": 1, "overrides": {"t1/ORDER": 2, "*/ORDER": 3, "t1/*": 4}},
        "data": {"default": 36_500, "overrides": {}},
    }


def test_inf_03_the_refusal_is_the_only_message() -> None:
    """Ended so that the CLI adds nothing of its own (ENG-04 shows it with the real one), and logged once."""
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError) as caught:
        evaluate_into(evaluation, {f"{NAMESPACE}:logLevel": "LOUD"})
    ended = caught.value.__cause__
    assert isinstance(ended, Refused)
    assert ended.code == USER_WAS_TOLD
    assert evaluation.warnings == []  # the error itself says it
