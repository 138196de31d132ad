"""Topics and their subscriptions. The endpoint itself delivers to queues, with filter policies."""

from __future__ import annotations

from local.deploy.errors import UnsupportedResource
from local.deploy.workspace import Created, Creator, Request, Workspace, json_text

ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
SUBSCRIPTION = {
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
}
#: Supported protocols; subscriptions by e-mail are only recorded.
PROTOCOLS = ("sqs", "email", "email-json")


def topic(workspace: Workspace, request: Request) -> Created:
    """A topic. ``maximumMessageSize`` is accepted and not enforced here."""
    request.known("name", "maximumMessageSize", *ATTRIBUTES)
    name = workspace.physical_name(request)
    attributes = {ATTRIBUTES[key]: json_text(value) for key, value in request.inputs.items() if key in ATTRIBUTES}
    tags = [{"Key": key, "Value": value} for key, value in workspace.tags(request).items()]
    arn = workspace.client("sns").create_topic(Name=name, Attributes=attributes, Tags=tags)["TopicArn"]
    return Created(arn, {"name": name, "arn": arn, "owner": workspace.account_id})


def topic_policy(workspace: Workspace, request: Request) -> Created:
    """A topic's policy."""
    request.known("arn", "policy")
    arn = request.inputs["arn"]
    workspace.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=json_text(request.inputs["policy"])
    )
    return Created(arn, {"owner": workspace.account_id})


def subscription(workspace: Workspace, request: Request) -> Created:
    """The subscription of a queue or an e-mail address."""
    request.known("endpoint", "protocol", "topic", *SUBSCRIPTION)
    inputs = request.inputs
    if inputs["protocol"] not in PROTOCOLS:
        raise UnsupportedResource(
            f"protocol {inputs['protocol']!r} of {request.label} is not supported; allowed: {', '.join(PROTOCOLS)}"
        )
    attributes = {SUBSCRIPTION[key]: json_text(value) for key, value in inputs.items() if key in SUBSCRIPTION}
    arn = workspace.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(arn, {"arn": arn, "ownerId": workspace.account_id})


CREATORS: dict[str, Creator] = {
    "aws:sns/topic:Topic": topic,
    "aws:sns/topicPolicy:TopicPolicy": topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": subscription,
}
