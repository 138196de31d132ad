"""The whole program through the provider's protocol, as the engine would send it: made, read, changed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from local.deploy.existing import EXISTING
from local.deploy.program import evaluate
from local.deploy.project import load_stack
from local.deploy.resources import CREATORS
from local.provider import EngineRuntime
from local.provider.changes import REPLACING
from local.scheduler import Scheduler
from tests.support.projects import shared_project
from tests.support.provider_client import Held, ProtocolEngine

APIS = "aws:apigatewayv2/"
BUCKET = "aws:s3/bucket:Bucket"
FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
QUEUE = "aws:sqs/queue:Queue"
TABLE = "aws:dynamodb/table:Table"


@pytest.fixture(scope="module")
def runtime() -> Iterator[EngineRuntime]:
    with EngineRuntime(project_dir=shared_project(), scheduler=Scheduler.virtual()) as one:
        yield one


@pytest.fixture(scope="module")
def engine(runtime: EngineRuntime) -> ProtocolEngine:
    port = int(runtime.environment["PULUMI_DEBUG_PROVIDERS"].removeprefix("aws:"))
    engine = ProtocolEngine(port)
    evaluate(shared_project(), load_stack(shared_project(), "dev"), engine)
    return engine


def test_each_type_can_be_changed_and_deleted_and_says_what_replaces_it() -> None:
    assert set(EXISTING) == set(CREATORS) == set(REPLACING)


def test_a_second_update_has_nothing_to_do(engine: ProtocolEngine) -> None:
    assert len(engine.state) > 100
    assert [one.urn for one in engine.state if list(engine.diff(one, one.inputs).diffs)] == []


def test_a_refresh_finds_what_was_declared(engine: ProtocolEngine) -> None:
    assert [one.urn for one in engine.state if engine.read(one) != one.inputs] == []


def test_sources_and_functions_run(runtime: EngineRuntime, engine: ProtocolEngine) -> None:
    sources = runtime.runtime._sources
    assert sources is not None
    assert len(sources.streams) + len(sources.queues) == sum(one.type == MAPPING for one in engine.state)
    assert runtime.runtime.host.names == sorted(one.id for one in engine.state if one.type == FUNCTION)


def test_drift_is_seen(engine: ProtocolEngine) -> None:
    queue = engine.get(QUEUE, "notification-queue")
    sqs: Any = boto3.client("sqs", region_name="us-east-1")
    sqs.set_queue_attributes(QueueUrl=queue.id, Attributes={"VisibilityTimeout": "7"})
    live = engine.read(queue)
    assert live is not None
    assert {key for key in live if live[key] != queue.inputs[key]} == {"visibilityTimeoutSeconds"}
    declared, queue.inputs = queue.inputs, live
    assert list(engine.diff(queue, declared).diffs) == ["visibilityTimeoutSeconds"]
    engine.update(queue, visibilityTimeoutSeconds=declared["visibilityTimeoutSeconds"])
    assert engine.read(queue) == declared


def test_names_and_keys_replace_and_the_rest_does_not(engine: ProtocolEngine) -> None:
    table = engine.get(TABLE, "commands")
    renamed = engine.diff(table, {**table.inputs, "name": "other"})
    assert (list(renamed.replaces), renamed.deleteBeforeReplace) == (["name"], False)
    keyed = engine.diff(table, {**table.inputs, "rangeKey": "other"})
    assert (list(keyed.replaces), keyed.deleteBeforeReplace) == (["rangeKey"], True)
    protected = engine.diff(table, {**table.inputs, "deletionProtectionEnabled": True})
    assert (list(protected.diffs), list(protected.replaces)) == (["deletionProtectionEnabled"], [])


def test_a_previewed_update_keeps_what_it_leaves_alone(engine: ProtocolEngine) -> None:
    table = engine.get(TABLE, "commands")
    outputs = engine.update(table, preview=True, deletionProtectionEnabled=True)
    assert outputs == {**table.outputs, "deletionProtectionEnabled": True}
    assert engine.read(table) == table.inputs


def test_protection_keeps_a_table(engine: ProtocolEngine) -> None:
    table = engine.get(TABLE, "history")
    engine.update(table, deletionProtectionEnabled=True)
    with pytest.raises(Exception, match=r"aws:dynamodb/table:Table 'history': .*DeletionProtection"):
        engine.delete(table)
    engine.update(table, deletionProtectionEnabled=False)


def test_a_function_gets_its_new_environment(runtime: EngineRuntime, engine: ProtocolEngine) -> None:
    function = engine.get(FUNCTION, "sweeper")
    variables = {**function.inputs["environment"]["variables"], "LOG_LEVEL": "DEBUG"}
    engine.update(function, environment={"variables": variables}, memorySize=640)
    spec = runtime.runtime.host.get(function.id)
    assert (spec.env["LOG_LEVEL"], spec.memory_mb) == ("DEBUG", 640)
    live = engine.read(function)
    assert live is not None
    assert live["memorySize"] == 640


def test_an_api_is_changed_in_place(engine: ProtocolEngine) -> None:
    client: Any = boto3.client("apigatewayv2", region_name="us-east-1")
    api, route = engine.get(f"{APIS}api:Api", "http-api"), engine.get(f"{APIS}route:Route", "http-api-GET /{proxy+}")
    stage = engine.get(f"{APIS}stage:Stage", "http-api-stage")
    integration = engine.get(f"{APIS}integration:Integration", "http-api-function")
    moved = engine.diff(route, {**route.inputs, "apiId": "other"})
    assert (list(moved.replaces), moved.deleteBeforeReplace) == (["apiId"], True)
    keyed = engine.diff(route, {**route.inputs, "routeKey": "GET /else"})
    assert (list(keyed.diffs), list(keyed.replaces)) == (["routeKey"], [])
    engine.update(api, corsConfiguration={"allowOrigins": ["https://shop.example"], "maxAge": 60})
    assert client.get_api(ApiId=api.id)["CorsConfiguration"] == {"AllowOrigins": ["https://shop.example"], "MaxAge": 60}
    engine.update(api, corsConfiguration=None)
    assert not client.get_api(ApiId=api.id).get("CorsConfiguration")
    tokens = engine.create(
        f"{APIS}authorizer:Authorizer",
        "tokens",
        {
            "apiId": api.id,
            "name": "tokens",
            "authorizerType": "JWT",
            "identitySources": ["$request.header.Authorization"],
            "jwtConfiguration": {"issuer": "https://issuer.example", "audiences": ["shop"]},
        },
    )
    engine.update(tokens, jwtConfiguration={"issuer": "https://issuer.example", "audiences": ["shop", "desk"]})
    assert client.get_authorizer(ApiId=api.id, AuthorizerId=tokens.id)["JwtConfiguration"]["Audience"] == [
        "shop",
        "desk",
    ]
    assert engine.read(tokens) == tokens.inputs
    engine.update(route, authorizationType="JWT", authorizerId=tokens.id)
    assert client.get_route(ApiId=api.id, RouteId=route.id)["AuthorizationType"] == "JWT"
    engine.update(route, authorizationType="AWS_IAM", authorizerId=None)
    assert client.get_route(ApiId=api.id, RouteId=route.id)["AuthorizerId"] == ""
    engine.update(integration, timeoutMilliseconds=20_000)
    assert client.get_integration(ApiId=api.id, IntegrationId=integration.id)["TimeoutInMillis"] == 20_000
    engine.update(stage, description="all")
    assert client.get_stage(ApiId=api.id, StageName=stage.id)["Description"] == "all"
    for one in (api, route, integration, stage):
        assert engine.read(one) == one.inputs


def by_key(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {one.get("Key", one.get("key", "")): one.get("Value", one.get("value", "")) for one in pairs}


#: Type to the service and what it says of the tags of a resource.
TAGS: dict[str, tuple[str, Callable[[Any, Held], dict[str, str]]]] = {
    TABLE: ("dynamodb", lambda c, one: by_key(c.list_tags_of_resource(ResourceArn=one.outputs["arn"])["Tags"])),
    QUEUE: ("sqs", lambda c, one: c.list_queue_tags(QueueUrl=one.id).get("Tags", {})),
    FUNCTION: ("lambda", lambda c, one: c.list_tags(Resource=one.outputs["arn"])["Tags"]),
    f"{APIS}api:Api": ("apigatewayv2", lambda c, one: c.get_tags(ResourceArn=one.outputs["arn"])["Tags"]),
    "aws:sns/topic:Topic": ("sns", lambda c, one: by_key(c.list_tags_for_resource(ResourceArn=one.id)["Tags"])),
    "aws:iam/role:Role": ("iam", lambda c, one: by_key(c.list_role_tags(RoleName=one.id)["Tags"])),
    "aws:sfn/stateMachine:StateMachine": (
        "stepfunctions",
        lambda c, one: by_key(c.list_tags_for_resource(resourceArn=one.id)["tags"]),
    ),
    "aws:cloudwatch/eventBus:EventBus": (
        "events",
        lambda c, one: by_key(c.list_tags_for_resource(ResourceARN=one.outputs["arn"])["Tags"]),
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        "logs",
        lambda c, one: c.list_tags_for_resource(resourceArn=one.outputs["arn"])["tags"],
    ),
}


@pytest.mark.parametrize("type_", TAGS)
def test_tags_are_set_changed_and_removed(engine: ProtocolEngine, type_: str) -> None:
    service, tags_of = TAGS[type_]
    client: Any = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
    held = next(one for one in engine.state if one.type == type_)
    declared = held.inputs["tags"]
    assert tags_of(client, held) == declared
    first, *others = declared
    changed = {**{key: declared[key] for key in others}, first: "changed", "owner": "us"}
    for tags in (changed, {first: "changed"}, declared):
        engine.update(held, tags=tags)
        assert tags_of(client, held) == tags


def test_what_the_program_declares_stays_closed_to_others(engine: ProtocolEngine) -> None:
    client: Any = boto3.client("lambda", region_name="us-east-1")
    with pytest.raises(client.exceptions.ClientError, match="runs what the program declares"):
        client.delete_function(FunctionName=engine.get(FUNCTION, "sweeper").id)


def test_everything_can_be_deleted(runtime: EngineRuntime, engine: ProtocolEngine) -> None:
    """Last in this file: nothing is left."""
    for held in reversed(list(engine.state)):
        engine.delete(held)
    dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
    sqs: Any = boto3.client("sqs", region_name="us-east-1")
    sns: Any = boto3.client("sns", region_name="us-east-1")
    s3: Any = boto3.client("s3", region_name="us-east-1")
    iam: Any = boto3.client("iam", region_name="us-east-1")
    states: Any = boto3.client("stepfunctions", region_name="us-east-1")
    lambda_: Any = boto3.client("lambda", region_name="us-east-1")
    events: Any = boto3.client("events", region_name="us-east-1")
    logs: Any = boto3.client("logs", region_name="us-east-1")
    apis: Any = boto3.client("apigatewayv2", region_name="us-east-1")
    assert apis.get_apis()["Items"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert dynamodb.list_tables()["TableNames"] == []
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert sns.list_topics()["Topics"] == []
    assert s3.list_buckets()["Buckets"] == []
    assert iam.list_roles()["Roles"] == []
    assert states.list_state_machines()["stateMachines"] == []
    assert lambda_.list_functions()["Functions"] == []
    assert lambda_.list_event_source_mappings()["EventSourceMappings"] == []
    assert events.list_rules()["Rules"] == []
    assert [one["Name"] for one in events.list_event_buses()["EventBuses"]] == ["default"]
    assert logs.describe_log_groups()["logGroups"] == []
    assert runtime.runtime.host.names == []
