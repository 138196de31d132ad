"""The template that other tools judge (REAL-03) leaves nothing out, and each accepted finding has a reason."""

from __future__ import annotations

import re

import pytest

from local.deploy.registrations import Registration
from tests.real.judging import FULL, Acceptance, Finding, accepted, outcome
from tests.real.rendering import PARTS, WHOLE, logical, template
from tests.support.evaluation import Evaluation, evaluated


@pytest.fixture(scope="module")
def full() -> Evaluation:
    return evaluated("prod", FULL)


def test_everything_is_rendered(full: Evaluation) -> None:
    rendered = template(full)["Resources"]
    custom = [one for one in full.registrations if one.custom]
    whole = [one for one in custom if one.type in WHOLE]
    assert {logical(one) for one in whole} == set(rendered)
    assert len(whole) == len(rendered)
    assert {one.type for one in custom} == set(WHOLE) | set(PARTS)
    text = str(rendered)
    for one in custom:
        for value in one.props.values():
            assert not (isinstance(value, str) and value.startswith("arn:")) or value in text, one.name


def test_what_has_no_rendering_is_named(full: Evaluation) -> None:
    other = Registration("aws:ec2/vpc:Vpc", "v", {}, custom=True)
    with pytest.raises(KeyError, match="aws:ec2/vpc:Vpc"):
        template(Evaluation("prod", [*full.registrations, other]))


def test_each_acceptance_says_why() -> None:
    for one in accepted():
        assert len(one.reason) > 20, one
        assert re.compile(one.finding), one
        assert re.compile(one.resources), one
    assert len({(one.judge, one.finding, one.resources) for one in accepted()}) == len(accepted())


def test_findings_not_on_the_list_and_idle_entries_are_reported() -> None:
    known = Finding("checkov", "CKV_AWS_18", "dev/AWS::S3::Bucket.BucketBucket")
    new, idle = outcome("checkov", [known, known._replace(resource="dev/AWS::S3::Bucket.Other")])
    assert new == ["checkov: dev/AWS::S3::Bucket.Other: CKV_AWS_18"]
    assert "CKV_AWS_117" in idle
    assert "CKV_AWS_18" not in idle
    assert not Acceptance("checkov", "CKV", ".*", "").covers(known)  # whole texts, no beginnings
