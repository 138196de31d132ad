"""Reads Map states, inline and distributed.

Source: Developer Guide, "Map workflow state", "Using Map state in Distributed mode", "ItemReader (Map)",
"ItemBatcher (Map)", "ResultWriter (Map)", "Setting failure thresholds for Distributed Map states".
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from local.states.data.paths import ROOT
from local.states.data.templates import Template
from local.states.definition.fields import Fields, refuse
from local.states.definition.model import (
    EXPRESS,
    STANDARD,
    Branch,
    Distributed,
    ItemBatcher,
    ItemReader,
    MapState,
    Tolerance,
)
from local.states.definition.state_fields import open_state
from local.states.definition.work_definition import WORK, work
from local.states.errors import UnsupportedFeature
from local.states.integrations import in_aws
from local.states.limits import PAYLOAD_BYTES

GET_OBJECT = "arn:aws:states:::s3:getObject"
PUT_OBJECT = "arn:aws:states:::s3:putObject"
CSV = "CSV"
JSON = "JSON"
JSON_LINES = "JSONL"
DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
MAX_ITEMS = 100_000_000
LABEL_CHARACTERS = 40

_TOLERANCE = tuple(f"ToleratedFailure{what}{end}" for what in ("Count", "Percentage") for end in ("", "Path"))
_DISTRIBUTED = ("ItemReader", "ItemBatcher", "ResultWriter", "Label", *_TOLERANCE)
#: "? * < > { } [ ] : ; , \\ | ^ ~ $ # % & ` \"", white space and control characters (guide, "Label").
_BAD_LABEL = re.compile(r"""[\s?*<>{}\[\]:;,\\|^~$#%&`"\x00-\x1f\x7f-\x9f]""")
_LATER = "is not supported by this runtime yet"


class Branches(Protocol):
    """Reads StartAt and States of nested branches; knows the machine that contains them."""

    machine_type: str
    #: inside the states of child executions
    in_child: bool

    def branch(self, fields: Fields) -> Branch:
        """States that run in this execution."""

    def child(self, fields: Fields, execution_type: str) -> Branch:
        """States that run in child executions of that type."""


def parse_map(name: str, value: Any, where: str, branches: Branches) -> MapState:
    """Read a Map. Raises the same as every reader of a state."""
    names = ("ItemProcessor", "Iterator", "ItemsPath", "ItemSelector", "MaxConcurrency", "MaxConcurrencyPath", *WORK)
    fields = open_state(value, where, (*names, *_DISTRIBUTED))
    fields.only_one("ItemProcessor", "Iterator", needed=True)
    fields.only_one("ItemSelector", "Parameters")
    fields.only_one("MaxConcurrency", "MaxConcurrencyPath")
    field = "ItemProcessor" if "ItemProcessor" in fields else "Iterator"
    processor = Fields(fields.value[field], fields.at(field), ("StartAt", "States", "ProcessorConfig"))
    execution_type = _execution_type(processor, branches)
    distributed = None
    if execution_type is not None:
        distributed = _distributed(name, fields, execution_type)
        branch = branches.child(processor, execution_type)
    else:
        for unfit in _DISTRIBUTED:
            if unfit in fields:
                raise refuse(fields.at(unfit), "belongs to a Map with ProcessorConfig.Mode DISTRIBUTED")
        branch = branches.branch(processor)
    return MapState(
        **work(name, fields),
        parameters=fields.template("ItemSelector") or fields.template("Parameters"),
        processor=branch,
        items_path=fields.optional_path("ItemsPath", reference=True) or ROOT,
        max_concurrency=fields.seconds("MaxConcurrency", least=0) or 0,
        max_concurrency_path=fields.optional_path("MaxConcurrencyPath", reference=True),
        distributed=distributed,
    )


def _execution_type(processor: Fields, branches: Branches) -> str | None:
    """The type of the child executions; None for an inline Map."""
    if "ProcessorConfig" not in processor:
        return None
    config = Fields(processor.value["ProcessorConfig"], processor.at("ProcessorConfig"), ("Mode", "ExecutionType"))
    mode = config.value.get("Mode", "INLINE")
    if mode not in ("INLINE", "DISTRIBUTED"):
        raise refuse(config.at("Mode"), f"must be INLINE or DISTRIBUTED, not {mode!r}")
    if mode == "INLINE":
        if "ExecutionType" in config:
            raise refuse(config.at("ExecutionType"), "belongs to Mode DISTRIBUTED")
        return None
    if branches.in_child:
        raise UnsupportedFeature(f"{config.at('Mode')}: a Distributed Map inside of another {_LATER}")
    if branches.machine_type == EXPRESS:
        raise refuse(config.at("Mode"), "an EXPRESS machine can't have a Distributed Map")
    kind = config.value.get("ExecutionType")
    if kind not in (STANDARD, EXPRESS):
        raise refuse(config.at("ExecutionType"), f"must be {STANDARD} or {EXPRESS}, not {kind!r}")
    return str(kind)


def _distributed(name: str, fields: Fields, execution_type: str) -> Distributed:
    if "ItemReader" in fields and "ItemsPath" in fields:
        raise refuse(fields.at("ItemsPath"), f"ItemsPath with an ItemReader {_LATER}")
    return Distributed(
        execution_type,
        _label(name, fields),
        _tolerance(fields),
        _reader(fields) if "ItemReader" in fields else None,
        _batcher(fields) if "ItemBatcher" in fields else None,
        _writer(fields) if "ResultWriter" in fields else None,
    )


def _label(name: str, fields: Fields) -> str:
    """The Label. Without one AWS generates a unique one; the state's name is unique too, if it is short enough."""
    at, label = (fields.at("Label"), fields.text("Label")) if "Label" in fields else (fields.where, name)
    if len(label) > LABEL_CHARACTERS or _BAD_LABEL.search(label):
        raise refuse(at, f"a Label must have 1 to {LABEL_CHARACTERS} characters, none of them special, not {label!r}")
    return label


def _tolerance(fields: Fields) -> Tolerance:
    for what in ("Count", "Percentage"):
        fields.only_one(f"ToleratedFailure{what}", f"ToleratedFailure{what}Path")
    percentage = fields.value.get("ToleratedFailurePercentage", 0)
    if isinstance(percentage, bool) or not isinstance(percentage, int | float) or not 0 <= percentage <= 100:
        raise refuse(fields.at("ToleratedFailurePercentage"), f"must be a number from 0 to 100, not {percentage!r}")
    return Tolerance(
        fields.seconds("ToleratedFailureCount", least=0),
        fields.optional_path("ToleratedFailureCountPath", reference=True),
        float(percentage) if "ToleratedFailurePercentage" in fields else None,
        fields.optional_path("ToleratedFailurePercentagePath", reference=True),
    )


def _reader(fields: Fields) -> ItemReader:
    reader = Fields(fields.value["ItemReader"], fields.at("ItemReader"), ("Resource", "ReaderConfig", "Parameters"))
    _resource(reader, GET_OBJECT)
    names = ("InputType", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "MaxItems", "MaxItemsPath")
    unsupported = {name: f"{name} {_LATER}" for name in ("ItemsPointer", "ManifestType", "Transformation")}
    config = Fields(reader.value.get("ReaderConfig", {}), reader.at("ReaderConfig"), names, unsupported)
    input_type = config.value.get("InputType")
    if input_type not in (CSV, JSON, JSON_LINES):
        raise refuse(config.at("InputType"), f"{input_type!r} {_LATER} (supported: {CSV}, {JSON}, {JSON_LINES})")
    config.only_one("MaxItems", "MaxItemsPath")
    for field in config.value if input_type != CSV else ():
        if field.startswith(CSV):
            raise refuse(config.at(field), f"belongs to InputType {CSV}")
    delimiter = config.value.get("CSVDelimiter", "COMMA")
    if delimiter not in DELIMITERS:
        raise refuse(config.at("CSVDelimiter"), f"must be one of {', '.join(DELIMITERS)}, not {delimiter!r}")
    return ItemReader(
        _parameters(reader, needed=("Bucket", "Key"), optional=("VersionId", "ExpectedBucketOwner")),
        str(input_type),
        DELIMITERS[delimiter],
        _headers(config) if input_type == CSV else None,
        config.seconds("MaxItems", least=0, most=MAX_ITEMS) or 0,
        config.optional_path("MaxItemsPath", reference=True),
    )


def _headers(config: Fields) -> tuple[str, ...] | None:
    location = config.value.get("CSVHeaderLocation")
    if location not in ("FIRST_ROW", "GIVEN"):
        raise refuse(config.at("CSVHeaderLocation"), f"must be FIRST_ROW or GIVEN, not {location!r}")
    headers = config.array("CSVHeaders")
    if location == "FIRST_ROW":
        if "CSVHeaders" in config:
            raise refuse(config.at("CSVHeaders"), "belongs to CSVHeaderLocation GIVEN")
        return None
    if not headers or not all(isinstance(one, str) for one in headers):
        raise refuse(config.at("CSVHeaders"), "must be a non-empty array of strings")
    return tuple(headers)


def _batcher(fields: Fields) -> ItemBatcher:
    limits = ("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")
    batcher = Fields(fields.value["ItemBatcher"], fields.at("ItemBatcher"), (*limits, "BatchInput"))
    batcher.only_one(*limits[:2])
    batcher.only_one(*limits[2:])
    if not any(one in batcher for one in limits):
        raise refuse(batcher.where, f"must have at least one of {', '.join(limits)}")
    return ItemBatcher(
        batcher.seconds(limits[0], most=MAX_ITEMS),
        batcher.optional_path(limits[1], reference=True),
        batcher.seconds(limits[2], most=PAYLOAD_BYTES),
        batcher.optional_path(limits[3], reference=True),
        batcher.template("BatchInput"),
    )


def _writer(fields: Fields) -> Template:
    unsupported = {"WriterConfig": f"WriterConfig {_LATER}"}
    writer = Fields(fields.value["ResultWriter"], fields.at("ResultWriter"), ("Resource", "Parameters"), unsupported)
    _resource(writer, PUT_OBJECT)
    return _parameters(writer, needed=("Bucket",), optional=("Prefix",))


def _resource(fields: Fields, known: str) -> None:
    resource = in_aws(fields.text("Resource"))
    if resource != known:
        raise UnsupportedFeature(f"{fields.at('Resource')}: {resource!r} {_LATER} (supported: {known})")


def _parameters(fields: Fields, *, needed: tuple[str, ...], optional: tuple[str, ...]) -> Template:
    names = [name + end for name in (*needed, *optional) for end in ("", ".$")]
    parameters = Fields(fields.value.get("Parameters"), fields.at("Parameters"), names)
    for name in (*needed, *optional):
        parameters.only_one(name, f"{name}.$", needed=name in needed)
    template = fields.template("Parameters")
    assert template is not None
    return template
