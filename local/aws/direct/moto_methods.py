"""Calls moto's method of an operation directly, with its parameters, for requests that came without HTTP.

Otherwise moto would need a werkzeug request, parse the parameters by the service's description and write a response,
for IAM and SNS in XML. On an error of another service, that is done nevertheless, and moto refuses the operation again.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.core.exceptions import HTTPException, ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.events.responses import EventsHandler
from moto.iam.responses import IamResponse
from moto.logs.responses import LogsResponse
from moto.sns.responses import SNSResponse
from moto.sqs.responses import SQSResponse

from local.aws.model import ACCOUNT_ID, AwsRequest
from local.aws.tables.images import plain
from local.partitions import partition_of

SHORT: dict[tuple[str, str], type[BaseResponse]] = {
    ("events", "PutEvents"): EventsHandler,
    ("iam", "PutRolePolicy"): IamResponse,
    ("logs", "CreateLogGroup"): LogsResponse,
    ("logs", "PutRetentionPolicy"): LogsResponse,
    ("sns", "Publish"): SNSResponse,
    ("sns", "PublishBatch"): SNSResponse,
    ("sqs", "DeleteMessage"): SQSResponse,
    ("sqs", "DeleteMessageBatch"): SQSResponse,
    ("sqs", "ReceiveMessage"): SQSResponse,
    ("sqs", "SendMessage"): SQSResponse,
    ("sqs", "SendMessageBatch"): SQSResponse,
}


#: Services with the query protocol and XML, which are only supported by the direct calls.
QUERIES = frozenset({"iam", "sns"})
_READ_FROM_A_BODY = frozenset({"events", "logs"})


class Refused(Exception):
    """moto refuses the request: an error of one of ``QUERIES``, with its HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def result(request: AwsRequest) -> Any:
    """The result of an operation of ``SHORT``, as JSON; None: moto must be called with a request.

    Raises:
        Refused: an error of one of ``QUERIES``.
    """
    response = SHORT[request.service, request.operation]()
    response.current_account, response.region = ACCOUNT_ID, request.region
    response.partition = partition_of(request.region)
    response.headers, response.uri_match, response.querystring = {}, {}, {}
    response.params = _copied(request.params)
    response.body = json.dumps(request.params) if request.service in _READ_FROM_A_BODY else None
    try:
        answer = getattr(response, _method_name(request.operation))()
    except (HTTPException, ServiceException) as error:
        if request.service in QUERIES and isinstance(error, ServiceException):
            raise Refused(error.code, error.message, _status(request.service, error.code)) from error
        return None
    return (plain(answer.result) if isinstance(answer, ActionResult) else json.loads(answer or "null")) or {}


_method_name = cache(camelcase_to_underscores)


def _copied(value: Any) -> Any:
    """A copy, since moto modifies the parameters."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _status(service: str, code: str) -> int:
    shapes = get_service_model(service).error_shapes
    return next((shape.metadata["error"]["httpStatusCode"] for shape in shapes if shape.error_code == code), 400)
