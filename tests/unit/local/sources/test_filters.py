from __future__ import annotations

from typing import Any

import pytest

from local.sources.filters import FilterSet, Pattern, PatternError

INSERT = {
    "eventName": "INSERT",
    "dynamodb": {"NewImage": {"status": {"S": "publish:ACCEPTED"}, "n": {"N": "300"}, "tags": {"L": [{"S": "a"}]}}},
}


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        # one line per row of the guide's table "Filter rule syntax"
        ({"UserID": [None]}, {"UserID": None}, True),
        ({"UserID": [None]}, {"UserID": "x"}, False),
        ({"UserID": [None]}, {}, False),
        ({"LastName": [""]}, {"LastName": ""}, True),
        ({"Name": ["Alice"]}, {"Name": "Alice"}, True),
        ({"Name": ["Alice"]}, {"Name": "alice"}, False),
        ({"Name": [{"equals-ignore-case": "alice"}]}, {"Name": "ALICE"}, True),
        ({"Location": ["New York"], "Day": ["Monday"]}, {"Location": "New York", "Day": "Monday"}, True),
        ({"Location": ["New York"], "Day": ["Monday"]}, {"Location": "New York", "Day": "Tuesday"}, False),
        ({"PaymentType": ["Credit", "Debit"]}, {"PaymentType": "Debit"}, True),
        ({"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}, {"Day": "Monday"}, True),
        ({"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}, {"Day": "Friday"}, False),
        ({"Weather": [{"anything-but": ["Raining"]}]}, {"Weather": "Sunny"}, True),
        ({"Weather": [{"anything-but": ["Raining"]}]}, {"Weather": "Raining"}, False),
        ({"Weather": [{"anything-but": ["Raining"]}]}, {}, False),
        ({"Price": [{"numeric": ["=", 100]}]}, {"Price": 100.0}, True),
        ({"Price": [{"numeric": [">", 10, "<=", 20]}]}, {"Price": 20}, True),
        ({"Price": [{"numeric": [">", 10, "<=", 20]}]}, {"Price": 10}, False),
        ({"Price": [{"numeric": [">", 10, "<=", 20]}]}, {"Price": "15"}, False),
        ({"ProductName": [{"exists": True}]}, {"ProductName": ""}, True),
        ({"ProductName": [{"exists": True}]}, {}, False),
        ({"ProductName": [{"exists": False}]}, {}, True),
        ({"ProductName": [{"exists": False}]}, {"ProductName": None}, False),
        ({"Region": [{"prefix": "us-"}]}, {"Region": "us-east-1"}, True),
        ({"File": [{"suffix": ".png"}]}, {"File": "a.png"}, True),
        ({"File": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"File": "a.png"}, True),
        # numbers are compared by their text
        ({"n": [300]}, {"n": 300}, True),
        ({"n": [300]}, {"n": 300.0}, False),
        ({"n": [300]}, {"n": "300"}, False),
        ({"b": [True]}, {"b": 1}, False),
        # exists looks at leaves only: an object is not a leaf
        ({"dynamodb": {"NewImage": [{"exists": True}]}}, INSERT, False),
        ({"dynamodb": {"NewImage": {"status": [{"exists": True}]}}}, INSERT, False),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"exists": True}]}}}}, INSERT, True),
        ({"dynamodb": {"NewImage": {"syncMode": {"S": [{"exists": False}]}}}}, INSERT, True),
        ({"dynamodb": {"OldImage": {"status": {"S": [{"exists": False}]}}}}, INSERT, True),
        # a list of values matches if any of its elements does
        ({"resources": ["b"]}, {"resources": ["a", "b"]}, True),
        ({"resources": ["c"]}, {"resources": ["a", "b"]}, False),
        ({"dynamodb": {"NewImage": {"tags": {"L": {"S": ["a"]}}}}}, INSERT, True),
    ],
)
def test_rule(pattern: dict[str, Any], event: dict[str, Any], expected: bool) -> None:
    assert Pattern(pattern).matches(event) is expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{", "event pattern is not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "is empty at"),
        ('{"a": {}}', r"is empty at \$\.a"),
        ('{"a": []}', "can never match"),
        ('{"a": "x"}', 'must be a list or an object but is "x"'),
        ('{"a": [["x"]]}', "a list in a list"),
        (
            '{"a": [{"wildcard": "*x"}]}',
            r"unknown operator 'wildcard' at \$\.a; known: anything-but, equals-ignore-case",
        ),
        ('{"a": [{"cidr": "10.0.0.0/8"}]}', "unknown operator 'cidr'"),
        ('{"a": [{"prefix": "x", "suffix": "y"}]}', "must name one operator"),
        ('{"a": [{"exists": "true"}]}', "exists at .* must be true or false"),
        ('{"a": [{"prefix": 1}]}', "takes a string"),
        ('{"a": [{"numeric": ["~", 1]}]}', "operators: = < <= > >="),
        ('{"a": [{"numeric": ["=", "1"]}]}', "numeric at"),
        ('{"a": [{"anything-but": {"prefix": "x"}}]}', "not supported for this kind of filter"),
        ('{"$or": [{"a": ["x"]}]}', "two or more objects"),
    ],
)
def test_bad_pattern_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternError, match=message):
        Pattern(pattern)


def test_event_bus_allows_nested_anything_but() -> None:
    pattern = Pattern({"a": [{"anything-but": {"prefix": "x"}}]}, nested_anything_but=True)
    assert pattern.matches({"a": "yx"})
    assert not pattern.matches({"a": "xy"})


def test_filters_are_alternatives_and_none_passes_everything() -> None:
    either = FilterSet(['{"eventName": ["INSERT"]}', '{"eventName": ["REMOVE"]}'])
    assert [either.accepts_stream_record({"eventName": name}) for name in ("INSERT", "MODIFY", "REMOVE")] == [
        True,
        False,
        True,
    ]
    assert FilterSet([]).accepts_stream_record({"eventName": "MODIFY"})
    assert FilterSet([]).accepts_message({"body": "anything"})
    with pytest.raises(PatternError, match="at most 10 filters but got 11"):
        FilterSet(['{"a": ["x"]}'] * 11)


@pytest.mark.parametrize(
    ("body", "pattern", "accepted"),
    [
        # the guide's table "Properly filtering Amazon SQS messages"
        ("hello", '{"body": ["hello"]}', True),
        ("hello", '{"messageId": ["m1"]}', True),
        ("hello", '{"body": {"type": ["a"]}}', False),
        ('{"type": "a"}', '{"body": ["{\\"type\\": \\"a\\"}"]}', False),
        ('{"type": "a"}', '{"messageId": ["m1"]}', True),
        ('{"type": "a"}', '{"body": {"type": ["a"]}}', True),
        ('{"type": "b"}', '{"body": {"type": ["a"]}}', False),
    ],
)
def test_message_bodies(body: str, pattern: str, accepted: bool) -> None:
    assert FilterSet([pattern]).accepts_message({"messageId": "m1", "body": body}) is accepted
