"""ItemReader, ItemBatcher and ResultWriter at work, and their failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.states.maps import map_results

from .conftest import WRITER, Failed, Runtime, chain, csv_reader, distributed, task

PASS = {"Type": "Pass"}
CAUGHT = [{"ErrorEquals": ["States.ALL"], "Next": "caught"}]
CAUGHT_LARGE = [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "caught"}]


def run(runtime: Runtime, data: Any = None, state: dict[str, Any] | None = None, **fields: Any) -> Any:
    return runtime.run(chain(("m", distributed(state or PASS, **fields))), data)


def rows(count: int) -> str:
    return "code,name\n" + "".join(f"c{n},name {n}\n" for n in range(count))


# -- reader -----------------------------------------------------------------------------------------------


def test_rows_of_a_csv_file_are_the_inputs_of_children(runtime: Runtime) -> None:
    runtime.objects.add("rows.csv", rows(300))
    execution = run(runtime, ItemReader=csv_reader())
    assert execution.output == [{"code": f"c{n}", "name": f"name {n}"} for n in range(300)]
    assert {caller for caller, _, _ in runtime.objects.calls} == {"m1"}
    assert len(runtime.objects.calls) > 3


def test_the_version_is_that_of_the_first_look(runtime: Runtime) -> None:
    runtime.objects.add("rows.csv", rows(300))

    def overwrite(event: Any) -> Any:
        if event["code"] == "c0":
            runtime.objects.add("rows.csv", rows(2))
        return event["code"]

    runtime.define(work=overwrite)
    execution = run(runtime, None, task(), ItemReader=csv_reader(), MaxConcurrency=1)
    assert execution.output == [f"c{n}" for n in range(300)]


def test_a_given_version_is_read(runtime: Runtime) -> None:
    first = runtime.objects.add("rows.csv", rows(2))
    runtime.objects.add("rows.csv", rows(5))
    parameters = {"Bucket.$": "$.bucket", "Key.$": "$.key", "VersionId.$": "$.version"}
    data = {"bucket": "bucket", "key": "rows.csv", "version": first}
    execution = run(runtime, data, ItemReader={**csv_reader(), "Parameters": parameters})
    assert len(execution.output) == 2


def test_rows_are_read_as_children_get_free(runtime: Runtime) -> None:
    runtime.objects.add("rows.csv", rows(2_000))
    runtime.define(work=lambda event: runtime.scheduler.sleep(10))
    execution = runtime.start(chain(("m", distributed(ItemReader=csv_reader(), MaxConcurrency=2))))
    runtime.scheduler.run_for(25)
    assert len(runtime.functions.calls) == 6
    assert len(runtime.objects.calls) == 1, "of more than thirty pieces one was read"
    runtime.manager.stop_execution(execution.arn)
    runtime.scheduler.run_until_idle()


@pytest.mark.parametrize(
    ("body", "expected"),
    [("", []), ("code,name", []), ("code,name\n", []), ("code,name\n1", [{"code": "1", "name": ""}])],
)
def test_small_files(runtime: Runtime, body: str, expected: list[Any]) -> None:
    runtime.objects.add("rows.csv", body)
    assert run(runtime, ItemReader=csv_reader()).output == expected


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"Key": "other.csv"}, "NoSuchKey: The specified key does not exist."),
        ({"VersionId": "v9"}, "NoSuchKey: The specified key does not exist."),
        ({"ExpectedBucketOwner": "210987654321"}, "Access Denied: the bucket's owner is not 210987654321"),
        ({"Key.$": "$.number"}, "Key must be a non-empty string, not 5"),
    ],
)
def test_an_object_that_can_not_be_read_fails_the_map_and_is_caught(
    runtime: Runtime, given: dict[str, Any], cause: str
) -> None:
    runtime.objects.add("rows.csv", rows(2))
    parameters = {"Bucket": "bucket", **({} if "Key.$" in given else {"Key": "rows.csv"}), **given}
    state = distributed(PASS, ItemReader={**csv_reader(), "Parameters": parameters}, Catch=CAUGHT, Next="caught")
    execution = runtime.run(chain(("m", state), ("caught", PASS)), {"number": 5})
    assert execution.output == {"Error": "States.ItemReaderFailed", "Cause": cause}


def test_an_object_that_breaks_off_in_the_middle_fails_the_map(runtime: Runtime) -> None:
    runtime.objects.add("rows.csv", rows(500))

    def refuse(event: Any) -> None:
        runtime.objects.refused.add("read")

    runtime.define(work=refuse)
    execution = run(runtime, None, task(), ItemReader=csv_reader(), MaxConcurrency=1)
    assert (execution.error, execution.cause) == ("States.ItemReaderFailed", "AccessDenied: Access Denied")


@pytest.mark.parametrize(
    ("body", "cause"),
    [('{"a": 1}', "Attempting to map over non-iterable node."), ("[1,", "the object is not JSON")],
)
def test_json_that_is_no_array(runtime: Runtime, body: str, cause: str) -> None:
    runtime.objects.add("rows.json", body)
    reader = {**csv_reader("rows.json"), "ReaderConfig": {"InputType": "JSON"}}
    execution = run(runtime, ItemReader=reader)
    assert execution.error == "States.ItemReaderFailed"
    assert execution.cause.startswith(cause)


def json_lines_reader() -> dict[str, Any]:
    return {**csv_reader("rows.jsonl"), "ReaderConfig": {"InputType": "JSONL"}}


@pytest.mark.parametrize("end", ["", "\n"])
def test_imp_20_json_lines_are_items_whatever_their_values(runtime: Runtime, end: str) -> None:
    runtime.objects.add("rows.jsonl", '{"a": [1, {"b": "\u20ac\u2028"}]}\r\n[1.5]\nnull' + end)
    execution = run(runtime, ItemReader=json_lines_reader())
    assert execution.output == [{"a": [1, {"b": "\u20ac\u2028"}]}, [1.5], None]


@pytest.mark.parametrize(
    ("line", "cause"), [("", "line 2 is not JSON"), ("{", "line 2 is not JSON"), ("NaN", "line 2")]
)
def test_imp_20_one_bad_line_fails_the_map(runtime: Runtime, line: str, cause: str) -> None:
    """Which is why the loader keeps such lines from it."""
    runtime.objects.add("rows.jsonl", f"{{}}\n{line}\n{{}}\n")
    execution = run(runtime, ItemReader=json_lines_reader())
    assert execution.error == "States.ItemReaderFailed"
    assert execution.cause.startswith(cause)


# -- batcher ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batcher", "expected"),
    [
        ({"MaxItemsPerBatch": 2}, [2, 2, 1]),
        ({"MaxItemsPerBatch": 5}, [5]),
        ({"MaxItemsPerBatch": 100}, [5]),
        # {"Items":["xxxx","xxxx"]}: 12 bytes round the items, 6 for each, 1 between
        ({"MaxInputBytesPerBatch": 25}, [2, 2, 1]),
        ({"MaxInputBytesPerBatch": 24}, [1, 1, 1, 1, 1]),
        ({"MaxInputBytesPerBatch": 32, "MaxItemsPerBatch": 2}, [2, 2, 1]),
        ({"MaxInputBytesPerBatch": 25, "MaxItemsPerBatch": 3}, [2, 2, 1]),
    ],
)
def test_batches_by_items_and_bytes(runtime: Runtime, batcher: dict[str, Any], expected: list[int]) -> None:
    execution = run(runtime, ["xxxx"] * 5, ItemBatcher=batcher)
    assert [len(batch["Items"]) for batch in execution.output] == expected


def test_bytes_are_those_of_utf_8_and_count_the_batch_input(runtime: Runtime) -> None:
    batcher = {"MaxInputBytesPerBatch": 50, "BatchInput": {"あ": "い"}}
    execution = run(runtime, ["う", "え", "お"], ItemBatcher=batcher)
    texts = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in execution.output]
    assert [len(text.encode()) for text in texts] == [50, 44]
    assert [item for batch in execution.output for item in batch["Items"]] == ["う", "え", "お"]
    assert execution.output[0]["BatchInput"] == {"あ": "い"}


def test_the_text_of_a_batch_is_the_json_of_its_data(runtime: Runtime) -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"job": "j\u20ac"}}
    execution = run(runtime, [{"a": 'x"y'}, None, 3], ItemBatcher=batcher)
    (map_run,) = runtime.manager.map_runs.of_execution(execution.arn)
    for child in runtime.manager.map_runs.children(map_run.arn):
        assert json.loads(child.input_text) == child.input


def test_a_batch_is_never_above_the_payload_limit(runtime: Runtime) -> None:
    runtime.objects.add("rows.json", json.dumps(["x" * 100_000] * 5))
    reader = {**csv_reader("rows.json"), "ReaderConfig": {"InputType": "JSON"}}
    runtime.define(work=lambda event: len(event["Items"]))
    execution = run(runtime, None, task(), ItemReader=reader, ItemBatcher={"MaxItemsPerBatch": 100})
    assert execution.output == [2, 2, 1]


@pytest.mark.parametrize("fields", [{}, {"ItemBatcher": {"MaxItemsPerBatch": 2}}])
def test_an_item_above_the_payload_limit_fails_the_map(runtime: Runtime, fields: dict[str, Any]) -> None:
    runtime.objects.add("rows.csv", "a\nshort\n" + "x" * 262_144 + "\n")
    state = distributed(PASS, ItemReader=csv_reader(), Catch=CAUGHT_LARGE, Next="caught", **fields)
    execution = runtime.run(chain(("m", state), ("caught", PASS)))
    assert execution.output["Error"] == "States.DataLimitExceeded"


def test_a_selector_may_make_a_large_item_small(runtime: Runtime) -> None:
    runtime.objects.add("rows.csv", "a,b\n1," + "x" * 1_000_000 + "\n")
    execution = run(runtime, ItemReader=csv_reader(), ItemSelector={"a.$": "$$.Map.Item.Value.a"})
    assert execution.output == [{"a": "1"}]


# -- results ----------------------------------------------------------------------------------------------


def test_results_above_the_payload_limit_fail_the_map(runtime: Runtime) -> None:
    runtime.define(work=lambda event: "x" * 50_000)
    state = distributed(Catch=CAUGHT_LARGE, Next="caught")
    execution = runtime.run(chain(("m", state), ("caught", PASS)), list(range(6)))
    assert execution.output["Error"] == "States.DataLimitExceeded"
    assert len(runtime.functions.calls) == 6


def test_a_result_writer_takes_what_the_state_could_not_hold(runtime: Runtime) -> None:
    runtime.define(work=lambda event: "x" * 50_000)
    execution = run(runtime, list(range(6)), task(), ResultWriter=WRITER)
    (map_run,) = runtime.manager.map_runs.of_execution(execution.arn)
    folder = f"results/{map_run.id}"
    assert execution.output == {
        "MapRunArn": map_run.arn,
        "ResultWriterDetails": {"Bucket": "bucket", "Key": f"{folder}/manifest.json"},
    }
    assert runtime.objects.calls == [("m1", "write", f"{folder}/{name}.json") for name in ("SUCCEEDED_0", "manifest")]


def test_the_files_and_their_manifest(runtime: Runtime) -> None:
    def work(event: Any) -> Any:
        if event == 1:
            raise Failed("Boom", "no")
        return {"n": event}

    runtime.define(work=work)
    state = distributed(kind="STANDARD", ResultWriter=WRITER, ToleratedFailureCount=1, MaxConcurrency=1)
    execution = runtime.run(chain(("m", state)), [0, 1])
    (map_run,) = runtime.manager.map_runs.of_execution(execution.arn)
    manifest = runtime.objects.json(execution.output["ResultWriterDetails"]["Key"])
    files: dict[str, list[dict[str, Any]]] = {
        kind: [{"Key": f"results/{map_run.id}/{kind}_0.json", "Size": len(runtime.objects.versions[one][-1])}]
        for kind in ("SUCCEEDED", "FAILED")
        for one in [("bucket", f"results/{map_run.id}/{kind}_0.json")]
    }
    assert manifest == {
        "DestinationBucket": "bucket",
        "MapRunArn": map_run.arn,
        "ResultFiles": {**files, "PENDING": []},
    }
    (good,) = runtime.objects.json(files["SUCCEEDED"][0]["Key"])
    (bad,) = runtime.objects.json(files["FAILED"][0]["Key"])
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m1/rows"
    assert good == {
        "ExecutionArn": machine.replace("stateMachine", "execution") + f":{good['Name']}",
        "Input": "0",
        "InputDetails": {"Included": True},
        "Name": good["Name"],
        "Output": '{"n":0}',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "the local runtime doesn't redrive executions",
        "StartDate": "2026-01-01T00:00:00.000Z",
        "StateMachineArn": machine,
        "Status": "SUCCEEDED",
        "StopDate": "2026-01-01T00:00:00.000Z",
    }
    assert (bad["Status"], bad["Error"], json.loads(bad["Cause"])["errorType"]) == ("FAILED", "Boom", "Boom")
    assert "Output" not in bad
    assert (map_run.executions_written, map_run.items_written) == (2, 2)


def test_large_results_are_in_several_files(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_results, "FILE_BYTES", 5_000)
    execution = run(runtime, list(range(50)), ResultWriter=WRITER)
    manifest = runtime.objects.json(execution.output["ResultWriterDetails"]["Key"])
    files = manifest["ResultFiles"]["SUCCEEDED"]
    assert len(files) > 3
    inputs = [json.loads(one["Input"]) for file in files for one in runtime.objects.json(file["Key"])]
    assert sorted(inputs) == list(range(50))


def test_results_are_written_also_when_too_many_items_failed(runtime: Runtime) -> None:
    def work(event: Any) -> None:
        runtime.scheduler.sleep(event)
        if event == 2:
            raise Failed("Boom")

    runtime.define(work=work)
    execution = run(runtime, [1, 2, 100], task(), ResultWriter=WRITER)
    assert execution.error == "States.ExceedToleratedFailureThreshold"
    (map_run,) = runtime.manager.map_runs.of_execution(execution.arn)
    files = runtime.objects.json(f"results/{map_run.id}/manifest.json")["ResultFiles"]
    statuses = {
        kind: [one["Status"] for file in files[kind] for one in runtime.objects.json(file["Key"])] for kind in files
    }
    assert statuses == {"SUCCEEDED": ["SUCCEEDED"], "FAILED": ["FAILED", "ABORTED"], "PENDING": []}


@pytest.mark.parametrize(
    ("parameters", "refused", "cause"),
    [
        ({"Bucket": "bucket"}, True, "AccessDenied: Access Denied"),
        ({"Bucket.$": "$[0]"}, False, "Bucket must be a non-empty string, not 0"),
        ({"Bucket": "bucket", "Prefix.$": "$[0]"}, False, "Prefix must be a string, not 0"),
    ],
)
def test_results_that_can_not_be_written_fail_the_map(
    runtime: Runtime, parameters: dict[str, Any], refused: bool, cause: str
) -> None:
    if refused:
        runtime.objects.refused.add("write")
    state = distributed(PASS, ResultWriter={**WRITER, "Parameters": parameters}, Catch=CAUGHT, Next="caught")
    execution = runtime.run(chain(("m", state), ("caught", PASS)), [0])
    assert execution.output == {"Error": "States.ResultWriterFailed", "Cause": cause}


def test_a_runtime_without_s3_says_so() -> None:
    execution = run(Runtime(objects=None), ItemReader=csv_reader())
    assert (execution.error, execution.cause) == ("States.ItemReaderFailed", "this runtime has no S3")
