"""What of a Distributed Map is accepted, and what is refused by name and JSON path."""

from __future__ import annotations

from typing import Any

import pytest

from local.states import InvalidDefinition, UnsupportedFeature, validate

from .conftest import WRITER, callback, chain, csv_reader, distributed

STATE = "$.States.m"


def machine(**fields: Any) -> dict[str, Any]:
    return chain(("m", distributed(**fields)))


def reader(**config: Any) -> dict[str, Any]:
    return {"ItemReader": csv_reader(**config)}


def with_parameters(**parameters: Any) -> dict[str, Any]:
    return {"ItemReader": {**csv_reader(), "Parameters": parameters}}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Label": "x" * 40},
        {"kind": "STANDARD"},
        reader(),
        reader(CSVHeaderLocation="GIVEN", CSVHeaders=["a", "b"], CSVDelimiter="TAB", MaxItems=5),
        reader(MaxItemsPath="$.n"),
        with_parameters(**{"Bucket.$": "$.b", "Key.$": "$.k", "VersionId.$": "$.v", "ExpectedBucketOwner": "1"}),
        {"ItemReader": {**csv_reader(), "ReaderConfig": {"InputType": "JSON"}}},
        {"ItemBatcher": {"MaxItemsPerBatch": 1, "MaxInputBytesPerBatch": 262_144, "BatchInput": {"a.$": "$.b"}}},
        {"ItemBatcher": {"MaxItemsPerBatchPath": "$.a", "MaxInputBytesPerBatchPath": "$.b"}},
        {"ToleratedFailurePercentage": 99.9, "ToleratedFailureCount": 0},
        {"ToleratedFailurePercentagePath": "$.a", "ToleratedFailureCountPath": "$.b"},
        {"ResultWriter": WRITER},
        {"ItemSelector": {"a.$": "$$.Map.Item.Value"}, "MaxConcurrency": 10_000, "ItemsPath": "$.items"},
    ],
)
def test_accepted(fields: dict[str, Any]) -> None:
    validate(machine(**fields))


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"Label": "x" * 41}, ".Label: a Label must have 1 to 40 characters, none of them special, not 'xxx"),
    ({"Label": "a b"}, ".Label: a Label must have"),
    ({"Label": "a:b"}, ".Label: a Label must have"),
    ({"Label": ""}, ".Label: must be a non-empty string"),
    ({"kind": "FAST"}, ".ItemProcessor.ProcessorConfig.ExecutionType: must be STANDARD or EXPRESS, not 'FAST'"),
    (reader(CSVHeaderLocation="LAST_ROW"), ".ItemReader.ReaderConfig.CSVHeaderLocation: must be FIRST_ROW or GIVEN"),
    (reader(CSVHeaderLocation="GIVEN"), ".ItemReader.ReaderConfig.CSVHeaders: must be a non-empty array of strings"),
    (reader(CSVHeaders=["a"]), ".ItemReader.ReaderConfig.CSVHeaders: belongs to CSVHeaderLocation GIVEN"),
    (reader(CSVDelimiter=","), ".ItemReader.ReaderConfig.CSVDelimiter: must be one of COMMA, PIPE, SEMICOLON, SPACE"),
    (reader(MaxItems=-1), ".ItemReader.ReaderConfig.MaxItems: must be an integer from 0 to 100000000, not -1"),
    (reader(MaxItems=1, MaxItemsPath="$.n"), ".ItemReader.ReaderConfig: must have at most one of MaxItems"),
    (reader(InputType="JSON"), ".ItemReader.ReaderConfig.CSVHeaderLocation: belongs to InputType CSV"),
    (reader(InputType="JSONL"), ".ItemReader.ReaderConfig.CSVHeaderLocation: belongs to InputType CSV"),
    (with_parameters(Bucket="b"), ".ItemReader.Parameters: must have exactly one of Key, Key.$, has none"),
    (with_parameters(**{"Bucket": "b", "Key": "k", "Key.$": "$.k"}), ".ItemReader.Parameters: must have exactly one"),
    ({"ItemBatcher": {"BatchInput": {}}}, ".ItemBatcher: must have at least one of MaxItemsPerBatch"),
    ({"ItemBatcher": {"MaxItemsPerBatch": 0}}, ".ItemBatcher.MaxItemsPerBatch: must be an integer from 1"),
    ({"ItemBatcher": {"MaxInputBytesPerBatch": 262_145}}, ".ItemBatcher.MaxInputBytesPerBatch: must be an integer"),
    ({"ItemBatcher": {"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.n"}}, ".ItemBatcher: must have at most one"),
    ({"ToleratedFailurePercentage": 101}, ".ToleratedFailurePercentage: must be a number from 0 to 100, not 101"),
    ({"ToleratedFailureCount": -1}, ".ToleratedFailureCount: must be an integer from 0"),
    ({"ToleratedFailureCount": 1, "ToleratedFailureCountPath": "$.n"}, ": must have at most one of ToleratedFailureCo"),
    ({"ResultWriter": {**WRITER, "Parameters": {"Prefix": "p"}}}, ".ResultWriter.Parameters: must have exactly one of"),
]

UNSUPPORTED: list[tuple[dict[str, Any], str]] = [
    (reader(InputType="PARQUET"), ".ItemReader.ReaderConfig.InputType: 'PARQUET' is not supported"),
    (reader(InputType="MANIFEST"), ".ItemReader.ReaderConfig.InputType: 'MANIFEST' is not supported"),
    (reader(ItemsPointer="/a"), ".ItemReader.ReaderConfig.ItemsPointer: ItemsPointer is not supported"),
    (reader(Encoding="x"), ".ItemReader.ReaderConfig.Encoding: unknown field 'Encoding'"),
    (
        {"ItemReader": {**csv_reader(), "Resource": "arn:aws:states:::s3:listObjectsV2"}},
        ".ItemReader.Resource: 'arn:aws:states:::s3:listObjectsV2' is not supported",
    ),
    (with_parameters(Bucket="b", Key="k", Range="r"), ".ItemReader.Parameters.Range: unknown field 'Range'"),
    ({**reader(), "ItemsPath": "$.a"}, ".ItemsPath: ItemsPath with an ItemReader is not supported"),
    (
        {"ResultWriter": {**WRITER, "WriterConfig": {}}},
        ".ResultWriter.WriterConfig: WriterConfig is not supported",
    ),
    ({"ItemBatcher": {"MaxItems": 1}}, ".ItemBatcher.MaxItems: unknown field 'MaxItems'"),
]


@pytest.mark.parametrize(("fields", "message"), INVALID)
def test_invalid(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        validate(machine(**fields))
    assert caught.value.message.startswith(STATE + message)
    assert not isinstance(caught.value, UnsupportedFeature)


@pytest.mark.parametrize(("fields", "message"), UNSUPPORTED)
def test_loc_03_unsupported_features_of_a_distributed_map_are_refused_by_name(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        validate(machine(**fields))
    assert caught.value.message.startswith(STATE + message)


def test_what_belongs_to_distributed_mode_is_refused_in_an_inline_map() -> None:
    inline = {"Type": "Map", "ItemProcessor": chain(("item", {"Type": "Pass"})), "ItemReader": csv_reader()}
    with pytest.raises(InvalidDefinition, match=r"m\.ItemReader: belongs to a Map with ProcessorConfig\.Mode DISTR"):
        validate(chain(("m", inline)))


def test_an_express_machine_has_none() -> None:
    with pytest.raises(InvalidDefinition, match="an EXPRESS machine can't have a Distributed Map"):
        validate(machine(), "EXPRESS")


def test_an_express_child_has_no_token() -> None:
    validate(chain(("m", distributed(callback(), "STANDARD"))))
    with pytest.raises(InvalidDefinition, match=r"States\.item\.Resource: an EXPRESS machine can't use"):
        validate(chain(("m", distributed(callback()))))


def test_a_map_in_a_child_is_inline() -> None:
    inline = {"Type": "Map", "ItemProcessor": chain(("inner", {"Type": "Pass"}))}
    validate(chain(("m", distributed(inline))))
    inner = distributed({"Type": "Pass"})
    inner["ItemProcessor"] = {**inner["ItemProcessor"], **chain(("inner", {"Type": "Pass"}))}
    with pytest.raises(UnsupportedFeature, match="a Distributed Map inside of another is not supported"):
        validate(chain(("m", distributed(inner, "STANDARD"))))


def test_what_follows_a_distributed_map_is_of_the_machine_s_type_again() -> None:
    validate(chain(("m", distributed()), ("wait", callback())))


def test_without_a_label_the_name_of_the_state_must_be_one() -> None:
    state = distributed()
    del state["Label"]
    validate(chain(("import-csv", state)))
    with pytest.raises(InvalidDefinition, match="a Label must have 1 to 40 characters, none of them special"):
        validate(chain(("import the rows", state)))
