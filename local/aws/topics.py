"""moto's SNS without unnecessary work for each notification, and with a bound on the notifications that topics keep.

moto creates an RSA key per subscription and a certificate per notification, and keeps all of them. They can't be used
for verification, since the certificate's URL points to AWS, which doesn't have it. Here nothing is signed.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import SNSBackend, Subscription, Topic

from local.partitions import suffix_of

#: How many notifications a topic keeps, for inspection.
REMEMBERED_NOTIFICATIONS = 100

_SIGNATURE = base64.b64encode(b"the local runtime signs nothing").decode()


class LocalSubscription(Subscription):  # type: ignore[misc]  # moto has no types that mypy can follow
    """moto's subscription, with unsigned notifications."""

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
