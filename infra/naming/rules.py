"""AWS's naming rules by type of resource, for the stack's own check and the policy pack."""

from __future__ import annotations

import re
from dataclasses import dataclass

API = "aws:apigatewayv2/api:Api"
BUCKET = "aws:s3/bucket:Bucket"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
FUNCTION = "aws:lambda/function:Function"
MANAGED_POLICY = "aws:iam/policy:Policy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
METRIC_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
QUEUE = "aws:sqs/queue:Queue"
ROLE = "aws:iam/role:Role"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
TABLE = "aws:dynamodb/table:Table"
TOPIC = "aws:sns/topic:Topic"

_LETTERS = "letters, digits, '-' and '_'"


@dataclass(frozen=True)
class NameRule:
    """One type's rule: ``field``: the name's property; lengths in characters; ``allowed``: the pattern in words."""

    kind: str
    longest: int
    pattern: str
    allowed: str
    shortest: int = 1
    field: str = "name"

    def problem(self, name: str) -> str | None:
        """Why AWS would refuse the name; None if it accepts it."""
        if not self.shortest <= len(name) <= self.longest:
            bounds = f"at most {self.longest}" if len(name) > self.longest else f"at least {self.shortest}"
            return f"{self.field} {name!r} has {len(name)} characters; {bounds}"
        if not re.fullmatch(self.pattern, name):
            return f"{self.field} {name!r} is not allowed; expected {self.allowed}"
        return None


#: Sources: the services' API references (CreateTable, CreateFunction, CreateStateMachine, CreateRole, CreatePolicy,
#: CreateQueue, CreateTopic, PutRule, CreateEventBus, CreateLogGroup, PutMetricAlarm, PutDashboard, CreateApi) and the
#: S3 User Guide, "General purpose bucket naming rules". For state machines, only names that support logging
#: (CreateStateMachine, ``name``).
NAME_RULES = {
    API: NameRule("HTTP API", 128, r"[^\x00-\x1f\x7f]+", "no control characters"),
    BUCKET: NameRule(
        "bucket",
        63,
        r"(?!xn--|sthree-|amzn-s3-demo-|.*\.\.|[0-9.]+$)(?!.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)"
        r"[a-z0-9][a-z0-9.-]*[a-z0-9]",
        "lower-case letters, digits, '-' and '.', with a letter or digit at both ends, and no reserved start or end",
        3,
        "bucket",
    ),
    DASHBOARD: NameRule("dashboard", 255, r"[A-Za-z0-9_-]+", _LETTERS, field="dashboardName"),
    EVENT_BUS: NameRule("event bus", 256, r"(?!default$|aws\.)[A-Za-z0-9_./-]+", f"{_LETTERS}, '.' and '/'"),
    EVENT_RULE: NameRule("rule", 64, r"[A-Za-z0-9_.-]+", f"{_LETTERS} and '.'"),
    FUNCTION: NameRule("function", 64, r"[A-Za-z0-9_-]+", _LETTERS),
    LOG_GROUP: NameRule("log group", 512, r"(?!aws/)[A-Za-z0-9_./#-]+", f"{_LETTERS}, '.', '/' and '#'"),
    MANAGED_POLICY: NameRule("policy", 128, r"[A-Za-z0-9_+=,.@-]+", f"{_LETTERS}, '+', '=', ',', '.' and '@'"),
    METRIC_ALARM: NameRule("alarm", 255, r"[^\x00-\x1f\x7f]+", "no control characters"),
    QUEUE: NameRule("queue", 80, r"[A-Za-z0-9_-]+(\.fifo)?", _LETTERS),
    ROLE: NameRule("role", 64, r"[A-Za-z0-9_+=,.@-]+", f"{_LETTERS}, '+', '=', ',', '.' and '@'"),
    STATE_MACHINE: NameRule("state machine", 80, r"[A-Za-z0-9_-]+", _LETTERS),
    TABLE: NameRule("table", 255, r"[A-Za-z0-9_.-]+", f"{_LETTERS} and '.'", 3),
    TOPIC: NameRule("topic", 256, r"[A-Za-z0-9_-]+(\.fifo)?", _LETTERS),
}
