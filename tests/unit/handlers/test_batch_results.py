"""What is permanent in a stream's batch is kept once, however often the batch comes."""

from __future__ import annotations

from typing import Any

from handlers.consumers.batch_results import partial_answer
from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.errors import TransientError, ValidationError

RECORDS: list[dict[str, Any]] = [{"dynamodb": {"SequenceNumber": str(number)}} for number in range(4)]
WRONG = ValidationError("status", 1, "text")


def answered(failed: dict[int, Exception], letters: MemoryDeadLetters) -> list[str]:
    answer = partial_answer(RECORDS, failed, letters)
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_edge_24_what_is_permanent_keeps_nothing_back() -> None:
    letters = MemoryDeadLetters()
    assert answered({1: WRONG, 3: WRONG}, letters) == []
    assert [record["dynamodb"]["SequenceNumber"] for record, _ in letters.letters] == ["1", "3"]


def test_edge_24_behind_a_record_that_comes_again_nothing_is_kept_yet() -> None:
    """Lambda delivers again from the lowest, so each delivery would keep it once more."""
    letters = MemoryDeadLetters()
    failed: dict[int, Exception] = {0: WRONG, 1: TransientError("busy"), 3: WRONG}
    assert answered(failed, letters)[0] == "1"
    assert [record["dynamodb"]["SequenceNumber"] for record, _ in letters.letters] == ["0"]
