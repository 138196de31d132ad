"""Queues and their policies."""

from __future__ import annotations

from local.deploy.workspace import Created, Creator, Request, Workspace, json_text

ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def queue(workspace: Workspace, request: Request) -> Created:
    """A queue. Its id is its URL, as in the AWS provider."""
    request.known("name", *ATTRIBUTES)
    name = workspace.physical_name(request)
    attributes = {ATTRIBUTES[key]: attribute_text(value) for key, value in request.inputs.items() if key in ATTRIBUTES}
    client = workspace.client("sqs")
    url = client.create_queue(QueueName=name, Attributes=attributes, tags=workspace.tags(request))["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Created(url, {"name": name, "arn": arn, "url": url})


def queue_policy(workspace: Workspace, request: Request) -> Created:
    """A queue's policy."""
    request.known("queueUrl", "policy")
    return _attribute(workspace, request, "Policy", "policy")


def redrive_policy(workspace: Workspace, request: Request) -> Created:
    """A queue's redrive policy as a separate resource."""
    request.known("queueUrl", "redrivePolicy")
    return _attribute(workspace, request, "RedrivePolicy", "redrivePolicy")


def redrive_allow_policy(workspace: Workspace, request: Request) -> Created:
    """The queues that may use this one as their dead-letter queue."""
    request.known("queueUrl", "redriveAllowPolicy")
    return _attribute(workspace, request, "RedriveAllowPolicy", "redriveAllowPolicy")


def _attribute(workspace: Workspace, request: Request, attribute: str, property_name: str) -> Created:
    url = request.inputs["queueUrl"]
    value = json_text(request.inputs[property_name])
    workspace.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
    return Created(url)


def attribute_text(value: object) -> str:
    """A value as an SQS attribute, which is text: booleans and objects as JSON."""
    return value if isinstance(value, str) else json_text(value)


CREATORS: dict[str, Creator] = {
    "aws:sqs/queue:Queue": queue,
    "aws:sqs/queuePolicy:QueuePolicy": queue_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": redrive_allow_policy,
    "aws:sqs/redrivePolicy:RedrivePolicy": redrive_policy,
}
