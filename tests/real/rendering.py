"""What the program declares as a CloudFormation template, for tools that judge templates.

It exists to be judged, not to be deployed: names and ARNs are literal, and code is a place that nobody fills.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.deploy.registrations import Evaluation, Registration

Props = Mapping[str, Any]
Rendered = dict[str, Any]
#: Ours to CloudFormation's where a name isn't the same with a capital letter.
NAMES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "maxMessageSize": "MaximumMessageSize",
    "enableKeyRotation": "EnableKeyRotation",
    "deletionWindowInDays": "PendingWindowInDays",
    "policy": "KeyPolicy",
}


def template(evaluation: Evaluation) -> Rendered:
    """The template. Raises KeyError for a type that has no rendering."""
    resources: dict[str, Rendered] = {}
    later: list[Registration] = []
    for one in evaluation.registrations:
        if not one.custom:
            continue
        if one.type in PARTS:
            later.append(one)
        else:
            type_, render = WHOLE[one.type]
            resources[logical(one)] = {"Type": type_, "Properties": _present(render(one.props))}
            if type_ in STATEFUL:
                resources[logical(one)] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    for one in later:
        of_type, field, add = PARTS[one.type]
        owner = next(
            named["Properties"] for named in resources.values() if named["Type"] == of_type and _is(named, one, field)
        )
        add(owner, one.props)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


#: What keeps data: a template that drops it without a word is a finding of its own.
STATEFUL = frozenset({"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SQS::Queue"})


def logical(one: Registration) -> str:
    """Letters and digits, of type and name."""
    words = f"{one.type.rpartition(':')[2]}-{one.name}"
    return "".join(part.capitalize() for part in "".join(c if c.isalnum() else " " for c in words).split())


def _is(rendered: Rendered, part: Registration, field: str) -> bool:
    owner = str(part.props[field])
    names = {str(value) for key, value in rendered["Properties"].items() if key.endswith("Name")}
    return owner in names or owner.rpartition("/")[2] in names


def _present(props: Props) -> Rendered:
    return {key: value for key, value in props.items() if value is not None}


def _capital(value: Any) -> Any:
    """camelCase keys, at every level, with a capital letter."""
    if isinstance(value, Mapping):
        return {f"{key[:1].upper()}{key[1:]}": _capital(one) for key, one in value.items()}
    return [_capital(one) for one in value] if isinstance(value, list) else value


def _tags(props: Props) -> list[dict[str, str]] | None:
    tags = props.get("tags")
    return None if not tags else [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _plain(props: Props, *names: str, **renamed: str) -> Rendered:
    """Some properties as they are, some under another name."""
    given = {f"{name[:1].upper()}{name[1:]}": props.get(name) for name in names}
    return {**given, **{new: props.get(old) for old, new in renamed.items()}}


def _table(props: Props) -> Rendered:
    def schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
        keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
        return keys + ([{"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else [])

    encryption = props["serverSideEncryption"]
    key = encryption.get("kmsKeyArn")
    return {
        "TableName": props["name"],
        "BillingMode": props["billingMode"],
        "AttributeDefinitions": [
            {"AttributeName": one["name"], "AttributeType": one["type"]} for one in props["attributes"]
        ],
        "KeySchema": schema(props["hashKey"], props.get("rangeKey")),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": one["name"],
                "KeySchema": _capital(one["keySchemas"]),
                "Projection": {
                    "ProjectionType": one["projectionType"],
                    "NonKeyAttributes": one.get("nonKeyAttributes"),
                },
            }
            for one in props.get("globalSecondaryIndexes", [])
        ]
        or None,
        "TimeToLiveSpecification": _capital(props["ttl"]),
        "StreamSpecification": {"StreamViewType": props["streamViewType"]} if props.get("streamEnabled") else None,
        "SSESpecification": {
            "SSEEnabled": encryption["enabled"],
            "SSEType": "KMS",
            **({"KMSMasterKeyId": key} if key else {}),
        },
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": props["pointInTimeRecovery"]["enabled"]},
        "DeletionProtectionEnabled": props["deletionProtectionEnabled"],
        "Tags": _tags(props),
    }


def _queue(props: Props) -> Rendered:
    redrive = props.get("redrivePolicy")
    return {
        "QueueName": props["name"],
        **{NAMES[name]: props.get(name) for name in NAMES if name in props and name != "policy"},
        "KmsDataKeyReusePeriodSeconds": props.get("kmsDataKeyReusePeriodSeconds"),
        "SqsManagedSseEnabled": props.get("sqsManagedSseEnabled"),
        "RedrivePolicy": json.loads(redrive) if redrive else None,
        "Tags": _tags(props),
    }


def _topic(props: Props) -> Rendered:
    return {"TopicName": props["name"], "KmsMasterKeyId": props.get("kmsMasterKeyId"), "Tags": _tags(props)}


def _subscription(props: Props) -> Rendered:
    filters = props.get("filterPolicy")
    return {
        **_plain(props, "protocol", "endpoint", topic="TopicArn"),
        "FilterPolicy": json.loads(filters) if filters else None,
    }


def _role(props: Props) -> Rendered:
    return {
        "RoleName": props["name"],
        "AssumeRolePolicyDocument": json.loads(props["assumeRolePolicy"]),
        "Tags": _tags(props),
    }


def _role_policy(owner: Rendered, props: Props) -> None:
    owner.setdefault("Policies", []).append({"PolicyName": "own", "PolicyDocument": json.loads(props["policy"])})


def _function(props: Props) -> Rendered:
    return {
        "FunctionName": props["name"],
        "Code": {"S3Bucket": "archives", "S3Key": "handlers.zip"},
        **_plain(
            props,
            *("architectures", "description", "handler", "kmsKeyArn", "memorySize", "role", "runtime", "timeout"),
        ),
        "Environment": {"Variables": props["environment"]["variables"]},
        "TracingConfig": _capital(props["tracingConfig"]),
        "Tags": _tags(props),
    }


def _mapping(props: Props) -> Rendered:
    names = ("batchSize", "bisectBatchOnFunctionError", "eventSourceArn", "functionName", "functionResponseTypes")
    more = ("maximumRecordAgeInSeconds", "maximumRetryAttempts", "startingPosition")
    on_failure = props.get("destinationConfig", {}).get("onFailure", {}).get("destinationArn")
    return {
        **_plain(props, *names, *more),
        "FilterCriteria": _capital(props.get("filterCriteria")),
        "ScalingConfig": _capital(props.get("scalingConfig")),
        "DestinationConfig": {"OnFailure": {"Destination": on_failure}} if on_failure else None,
    }


def _rule(props: Props) -> Rendered:
    pattern = props.get("eventPattern")
    return {
        **_plain(props, "name", "description", "scheduleExpression"),
        "EventPattern": json.loads(pattern) if pattern else None,
        "State": "ENABLED",
    }


def _target(owner: Rendered, props: Props) -> None:
    letters = _capital(props.get("deadLetterConfig"))
    targets = owner.setdefault("Targets", [])
    targets.append(_present({"Id": f"target{len(targets)}", "Arn": props["arn"], "DeadLetterConfig": letters}))


def _machine(props: Props) -> Rendered:
    logging = props["loggingConfiguration"]
    return {
        "StateMachineName": props["name"],
        "StateMachineType": props["type"],
        "RoleArn": props["roleArn"],
        "DefinitionString": props["definition"],
        "LoggingConfiguration": {
            "Level": logging["level"],
            "IncludeExecutionData": logging["includeExecutionData"],
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": logging["logDestination"]}}],
        },
        "TracingConfiguration": _capital(props["tracingConfiguration"]),
        "Tags": _tags(props),
    }


def _alarm(props: Props) -> Rendered:
    def dimensions(of: Any) -> list[dict[str, str]] | None:
        return [{"Name": name, "Value": value} for name, value in of.items()] if of else None

    def query(of: Props) -> Rendered:
        metric = of.get("metric")
        if metric is None:
            return {"Id": of["id"], "Expression": of["expression"], "ReturnData": True}
        named = {
            "Namespace": metric["namespace"],
            "MetricName": metric["metricName"],
            "Dimensions": dimensions(metric["dimensions"]),
        }
        stat = {"Metric": named, "Period": metric["period"], "Stat": metric["stat"]}
        return {"Id": of["id"], "MetricStat": stat, "ReturnData": False}

    queries = props.get("metricQueries")
    names = ("alarmActions", "comparisonOperator", "evaluationPeriods", "extendedStatistic", "metricName", "namespace")
    return {
        "AlarmName": props["name"],
        **_plain(props, *names, "period", "statistic", "threshold", "treatMissingData"),
        "Dimensions": dimensions(props.get("dimensions")),
        "Metrics": [query(one) for one in queries] if queries else None,
        "Tags": _tags(props),
    }


def _key(props: Props) -> Rendered:
    return {
        **_plain(props, "description", "enableKeyRotation", deletionWindowInDays="PendingWindowInDays"),
        "KeyPolicy": json.loads(props["policy"]),
        "Tags": _tags(props),
    }


def _invoke_config(props: Props) -> Rendered:
    return {
        **_plain(props, "functionName", "maximumEventAgeInSeconds", "maximumRetryAttempts"),
        "Qualifier": "$LATEST",
        "DestinationConfig": _capital(props["destinationConfig"]),
    }


def _document(kind: str, field: str) -> Callable[[Props], Rendered]:
    """A resource's own policy."""
    return lambda props: {kind: [props[field]], "PolicyDocument": json.loads(props["policy"])}


def _cors_rule(rule: Props) -> dict[str, Any]:
    """CloudFormation: AWS::S3::Bucket CorsRule, where seconds have another name."""
    return {
        ("MaxAge" if name == "maxAgeSeconds" else f"{name[:1].upper()}{name[1:]}"): one for name, one in rule.items()
    }


def _bucket_rules(owner: Rendered, props: Props) -> None:
    rules = []
    for one in props["rules"]:
        current, old = one.get("expiration"), one.get("noncurrentVersionExpiration")
        abandoned = one.get("abortIncompleteMultipartUpload")
        rule = {
            "Id": one["id"],
            "Status": one["status"],
            "Prefix": one["filter"]["prefix"],
            "ExpirationInDays": current and current["days"],
            "NoncurrentVersionExpiration": old and {"NoncurrentDays": old["noncurrentDays"]},
            "AbortIncompleteMultipartUpload": abandoned and {"DaysAfterInitiation": abandoned["daysAfterInitiation"]},
        }
        rules.append(_present(rule))
    owner["LifecycleConfiguration"] = {"Rules": rules}


def _bucket_encryption(owner: Rendered, props: Props) -> None:
    rules: Iterable[Props] = props["rules"]
    owner["BucketEncryption"] = {
        "ServerSideEncryptionConfiguration": [
            _present(
                {
                    "BucketKeyEnabled": one.get("bucketKeyEnabled"),
                    "ServerSideEncryptionByDefault": _present(
                        {
                            "SSEAlgorithm": one["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
                            "KMSMasterKeyID": one["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"),
                        }
                    ),
                }
            )
            for one in rules
        ]
    }


def _set(name: str, value: Callable[[Props], Any]) -> Callable[[Rendered, Props], None]:
    def add(owner: Rendered, props: Props) -> None:
        owner[name] = value(props)

    return add


def _api(props: Props) -> Rendered:
    cors = props.get("corsConfiguration")
    return {
        **_plain(props, "name", "description", "protocolType", "tags"),
        "CorsConfiguration": None if cors is None else _capital(cors),
    }


def _authorizer(props: Props) -> Rendered:
    tokens = props["jwtConfiguration"]
    return {
        **_plain(props, "apiId", "authorizerType", "name", identitySources="IdentitySource"),
        "JwtConfiguration": {"Audience": tokens["audiences"], "Issuer": tokens["issuer"]},
    }


def _stage(props: Props) -> Rendered:
    log = props["accessLogSettings"]
    return {
        **_plain(props, "apiId", "autoDeploy", "tags", name="StageName"),
        "AccessLogSettings": {"DestinationArn": log["destinationArn"], "Format": log["format"]},
        "DefaultRouteSettings": _capital(props["defaultRouteSettings"]),
    }


#: Our type to CloudFormation's, and how it is rendered.
WHOLE: Mapping[str, tuple[str, Callable[[Props], Rendered]]] = {
    "aws:apigatewayv2/api:Api": ("AWS::ApiGatewayV2::Api", _api),
    "aws:apigatewayv2/authorizer:Authorizer": ("AWS::ApiGatewayV2::Authorizer", _authorizer),
    "aws:apigatewayv2/integration:Integration": (
        "AWS::ApiGatewayV2::Integration",
        lambda props: _plain(
            props,
            *("apiId", "integrationType", "integrationUri", "payloadFormatVersion"),
            timeoutMilliseconds="TimeoutInMillis",
        ),
    ),
    "aws:apigatewayv2/route:Route": (
        "AWS::ApiGatewayV2::Route",
        lambda props: _plain(props, "apiId", "authorizationType", "authorizerId", "routeKey", "target"),
    ),
    "aws:apigatewayv2/stage:Stage": ("AWS::ApiGatewayV2::Stage", _stage),
    "aws:cloudwatch/dashboard:Dashboard": (
        "AWS::CloudWatch::Dashboard",
        lambda props: _plain(props, "dashboardBody", "dashboardName"),
    ),
    "aws:cloudwatch/eventBus:EventBus": (
        "AWS::Events::EventBus",
        lambda props: {"Name": props["name"], "Tags": _tags(props)},
    ),
    "aws:cloudwatch/eventRule:EventRule": ("AWS::Events::Rule", _rule),
    "aws:cloudwatch/logGroup:LogGroup": (
        "AWS::Logs::LogGroup",
        lambda props: {**_plain(props, "retentionInDays", "kmsKeyId", name="LogGroupName"), "Tags": _tags(props)},
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("AWS::CloudWatch::Alarm", _alarm),
    "aws:dynamodb/table:Table": ("AWS::DynamoDB::Table", _table),
    "aws:iam/policy:Policy": (
        "AWS::IAM::ManagedPolicy",
        lambda props: {
            **_plain(props, "description", name="ManagedPolicyName"),
            "PolicyDocument": json.loads(props["policy"]),
        },
    ),
    "aws:iam/role:Role": ("AWS::IAM::Role", _role),
    "aws:kms/alias:Alias": ("AWS::KMS::Alias", lambda props: _plain(props, "targetKeyId", name="AliasName")),
    "aws:kms/key:Key": ("AWS::KMS::Key", _key),
    "aws:lambda/eventSourceMapping:EventSourceMapping": ("AWS::Lambda::EventSourceMapping", _mapping),
    "aws:lambda/function:Function": ("AWS::Lambda::Function", _function),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        "AWS::Lambda::EventInvokeConfig",
        _invoke_config,
    ),
    "aws:lambda/permission:Permission": (
        "AWS::Lambda::Permission",
        lambda props: _plain(props, "action", "principal", "sourceArn", function="FunctionName"),
    ),
    "aws:s3/bucket:Bucket": ("AWS::S3::Bucket", lambda props: {"BucketName": props["bucket"], "Tags": _tags(props)}),
    "aws:s3/bucketPolicy:BucketPolicy": (
        "AWS::S3::BucketPolicy",
        lambda props: {"Bucket": props["bucket"], "PolicyDocument": json.loads(props["policy"])},
    ),
    "aws:sfn/stateMachine:StateMachine": ("AWS::StepFunctions::StateMachine", _machine),
    "aws:sns/topic:Topic": ("AWS::SNS::Topic", _topic),
    "aws:sns/topicPolicy:TopicPolicy": ("AWS::SNS::TopicPolicy", _document("Topics", "arn")),
    "aws:sns/topicSubscription:TopicSubscription": ("AWS::SNS::Subscription", _subscription),
    "aws:sqs/queue:Queue": ("AWS::SQS::Queue", _queue),
    "aws:sqs/queuePolicy:QueuePolicy": ("AWS::SQS::QueuePolicy", _document("Queues", "queueUrl")),
}
#: Our type to the type that it is a part of in CloudFormation, the property that names the owner, and how it is added.
PARTS: Mapping[str, tuple[str, str, Callable[[Rendered, Props], None]]] = {
    "aws:cloudwatch/eventTarget:EventTarget": ("AWS::Events::Rule", "rule", _target),
    "aws:iam/rolePolicy:RolePolicy": ("AWS::IAM::Role", "role", _role_policy),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": (
        "AWS::S3::Bucket",
        "bucket",
        _set("CorsConfiguration", lambda props: {"CorsRules": [_cors_rule(one) for one in props["corsRules"]]}),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("AWS::S3::Bucket", "bucket", _bucket_rules),
    "aws:s3/bucketLogging:BucketLogging": (
        "AWS::S3::Bucket",
        "bucket",
        _set(
            "LoggingConfiguration",
            lambda props: {"DestinationBucketName": props["targetBucket"], "LogFilePrefix": props["targetPrefix"]},
        ),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "AWS::S3::Bucket",
        "bucket",
        _set(
            "PublicAccessBlockConfiguration",
            lambda props: _capital({key: value for key, value in props.items() if key != "bucket"}),
        ),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "AWS::S3::Bucket",
        "bucket",
        _bucket_encryption,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (
        "AWS::S3::Bucket",
        "bucket",
        _set("VersioningConfiguration", lambda props: _capital(props["versioningConfiguration"])),
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (
        "AWS::SQS::Queue",
        "queueUrl",
        _set("RedriveAllowPolicy", lambda props: json.loads(props["redriveAllowPolicy"])),
    ),
}
