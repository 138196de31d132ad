"""APP-02 on a laptop: where the values of secrets come from, and what somebody is told about one without."""

from __future__ import annotations

from local.secrets import how_to_give, named

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:partner/key-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/partner/url"


def test_secrets_are_those_of_all_functions() -> None:
    environments = [{"HANDLER_SECRETS": f'{{"a": "{SECRET}"}}'}, {}, {"HANDLER_SECRETS": f'{{"b": "{PARAMETER}"}}'}]
    assert named(environments) == {"a": SECRET, "b": PARAMETER}


def test_what_to_do_can_be_pasted() -> None:
    assert how_to_give("partner-key", SECRET) == (
        "start it with CQRS_SECRET_PARTNER_KEY set, or: "
        "aws secretsmanager create-secret --name partner/key-AbCdEf --secret-string VALUE"
    )
    assert how_to_give("url", PARAMETER).endswith(
        "aws ssm put-parameter --type SecureString --name /partner/url --value VALUE"
    )
