"""Who may take which role, and what it may do: plain documents, so that they can be tested without Pulumi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

#: GitHub Docs, "Configuring OpenID Connect in Amazon Web Services": issuer and audience.
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

#: What Pulumi reads of each resource beyond that, to compare it.
DESCRIBING = (
    "apigateway:GET",
    *("cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*"),
    *("dynamodb:Describe*", "dynamodb:List*"),
    *("events:Describe*", "events:List*"),
    *("iam:Get*", "iam:List*"),
    *("kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:List*"),
    *("lambda:Get*", "lambda:List*"),
    *("logs:Describe*", "logs:List*"),
    *("s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:ListBucket"),
    *("sns:Get*", "sns:List*"),
    *("sqs:Get*", "sqs:List*"),
    *("states:Describe*", "states:List*", "states:ValidateStateMachineDefinition"),
)
#: Service to the part of an ARN that begins with the resource's own name, and the actions on it.
MANAGED: Mapping[str, tuple[str, str]] = {
    "cloudwatch": ("cloudwatch:{region}:{account}:alarm:{prefix}*", "cloudwatch:*"),
    "dashboard": ("cloudwatch::{account}:dashboard/{prefix}*", "cloudwatch:*"),
    "dynamodb": ("dynamodb:{region}:{account}:table/{prefix}*", "dynamodb:*"),
    "rule": ("events:{region}:{account}:rule/{prefix}*", "events:*"),
    "bus": ("events:{region}:{account}:event-bus/{prefix}*", "events:*"),
    "lambda": ("lambda:{region}:{account}:function:{prefix}*", "lambda:*"),
    "layer": ("lambda:{region}:{account}:layer:{prefix}*", "lambda:*"),
    "machine": ("states:{region}:{account}:stateMachine:{prefix}*", "states:*"),
    "sns": ("sns:{region}:{account}:{prefix}*", "sns:*"),
    "sqs": ("sqs:{region}:{account}:{prefix}*", "sqs:*"),
    "s3": ("s3:::{prefix}*", "s3:*"),
    "functionLogs": ("logs:{region}:{account}:log-group:/aws/lambda/{prefix}*", "logs:*"),
    "apiLogs": ("logs:{region}:{account}:log-group:/aws/vendedlogs/apis/{prefix}*", "logs:*"),
    "machineLogs": ("logs:{region}:{account}:log-group:/aws/vendedlogs/states/{prefix}*", "logs:*"),
}
#: Services whose functions and machines take the roles that are created here.
PASSED_TO = ("events.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com")
#: HTTP APIs are called by ids that AWS gives: a role for one stack reaches those of others in its region, too.
APIS = ("apis", "apis/*", "tags/*")
ON_APIS = tuple(f"apigateway:{verb}" for verb in ("DELETE", "GET", "PATCH", "POST", "PUT", "TagResource"))
#: Calls without a resource of their own, or on one that has no name yet.
UNNAMED = (
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DeleteResourcePolicy",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)


def trust(provider_arn: str, subjects: Sequence[str]) -> Document:
    """Only jobs of these subjects, compared as they are: a pattern would let other branches or repositories in."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": list(subjects)}},
        }
    )


def state(bucket: str) -> Document:
    """Reading and writing Pulumi's state: a preview locks the stack, too."""
    return _document(
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        {
            "Effect": "Allow",
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{bucket}/*",
        },
    )


def describing() -> Document:
    """What a preview with ``--refresh`` reads."""
    return _document({"Effect": "Allow", "Action": list(DESCRIBING), "Resource": "*"})


def managing(region: str, account: str, prefix: str) -> Document:
    """Everything that is called ``<prefix>...``, and nothing else. ``prefix``: ``cqrs-prod-``."""
    places = {"region": region, "account": account, "prefix": prefix}
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:{arn.format(**places)}"}
        for arn, actions in MANAGED.values()
    ]
    role = f"arn:aws:iam::{account}:role/{prefix}*"
    actions = ("Create", "Delete", "Get", "Tag", "Untag", "Update")
    managed_policy = (
        *("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"),
        *("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:TagPolicy", "iam:UntagPolicy"),
    )
    return _document(
        *statements,
        {"Effect": "Allow", "Action": list(UNNAMED), "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": list(ON_APIS),
            "Resource": [f"arn:aws:apigateway:{region}::/{path}" for path in APIS],
        },
        {
            "Effect": "Allow",
            "Action": list(managed_policy),
            "Resource": f"arn:aws:iam::{account}:policy/{prefix}*",
        },
        {
            "Effect": "Allow",
            "Action": [
                *(f"iam:{action}Role" for action in actions),
                *("iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy"),
                *("iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListInstanceProfilesForRole"),
                "iam:UpdateAssumeRolePolicy",
            ],
            "Resource": role,
        },
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": role,
            "Condition": {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
        },
    )


def _document(*statements: Mapping[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
