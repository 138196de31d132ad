"""moto's SNS without unnecessary work for each notification, and with a bound on the notifications that topics keep.

moto creates an RSA key per subscription and a certificate per notification, and keeps all of them. They can't be used
for verification, since the certificate's URL points to AWS, which doesn't have it. Here nothing is signed.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import SNSBackend, Subscription, Topic
from moto.sns.utils import FilterPolicyMatcher

from local.aws import services
from local.json_bytes import json_bytes
from local.partitions import suffix_of

#: How many notifications a topic keeps, for inspection.
REMEMBERED_NOTIFICATIONS = 100

_SIGNATURE = base64.b64encode(b"the local runtime signs nothing").decode()


class LocalSubscription(Subscription):  # type: ignore[misc]  # moto has no types that mypy can follow
    """moto's subscription, with unsigned notifications that are written in the service's form, and remembered answers
    of its filter policy.
    """

    def publish(
        self,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> None:
        """Deliver to a queue that takes whole notifications; the other protocols as in moto."""
        matcher = self._filter_policy_matcher
        if matcher is not None and not _matches(matcher, message_attributes or {}, message):
            return
        if self.protocol != "sqs" or self.attributes.get("RawMessageDelivery") or message_structure is not None:
            super().publish(
                message, message_id, subject, message_attributes, group_id, deduplication_id, message_structure
            )
            return
        _, _, _, region, _, queue_name = self.endpoint.split(":")
        services.backend("sqs", region).send_message(
            queue_name,
            _shown(self.get_post_data(message, message_id, subject, message_attributes)),
            deduplication_id=deduplication_id,
            group_id=group_id,
            validate_group_id=False,
        )

    def get_post_data(
        self, message: str, message_id: str, subject: str | None, message_attributes: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A notification for queues and HTTP endpoints (SNS Developer Guide, "HTTP/HTTPS notification JSON format")."""
        region = self.topic.sns_backend.region_name
        host = f"https://sns.{region}.{suffix_of(region)}"
        optional = {"Subject": subject, "MessageAttributes": message_attributes}
        return {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": self.topic.arn,
            "Message": message,
            "Timestamp": iso_8601_datetime_with_milliseconds(),
            "SignatureVersion": "2",
            "Signature": _SIGNATURE,
            "SigningCertURL": f"{host}/SimpleNotificationService-local.pem",
            "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={self.arn}",
            **{name: value for name, value in optional.items() if value},
        }


def _shown(notification: Mapping[str, Any]) -> str:
    """The notification as the service writes it (SNS Developer Guide, "HTTP/HTTPS notification JSON format")."""
    lines = [f'  "{name}" : {json_bytes(value).decode()}' for name, value in notification.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _matches(matcher: FilterPolicyMatcher, attributes: Mapping[str, Any], message: str) -> bool:
    if matcher.filter_policy_scope != "MessageAttributes":
        return bool(matcher.matches(attributes, message))
    named = ((name, attributes[name]) for name in matcher.filter_policy or () if name in attributes)
    return _match(matcher, tuple((name, one["Type"], one["Value"]) for name, one in named))


@lru_cache(maxsize=1024)
def _match(matcher: FilterPolicyMatcher, attributes: tuple[tuple[str, str, Any], ...]) -> bool:
    """moto parses attributes as JSON for each value of a policy."""
    return bool(matcher.matches({name: {"Type": kind, "Value": value} for name, kind, value in attributes}, ""))


class LocalSns(SNSBackend):  # type: ignore[misc]  # as above
    """The topics of one region. moto would keep every notification ever sent."""

    def create_topic(self, *args: Any, **kwargs: Any) -> Topic:
        """moto's topic, with a bound on kept notifications."""
        topic = super().create_topic(*args, **kwargs)
        topic.sent_notifications = deque(topic.sent_notifications, maxlen=REMEMBERED_NOTIFICATIONS)
        return topic

    def subscribe(self, *args: Any, **kwargs: Any) -> Subscription:
        """moto's subscription, with our class."""
        subscription = super().subscribe(*args, **kwargs)
        subscription.__class__ = LocalSubscription
        return subscription
