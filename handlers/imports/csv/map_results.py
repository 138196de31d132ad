"""Reads the results of a Distributed Map from the bucket: the batches whose child execution failed, with their rows.

Source: Step Functions Developer Guide, "ResultWriter (Map)": ``manifest.json`` names files of the children by outcome,
each an array of executions whose ``Input`` is JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handlers.core.errors import ValidationError

if TYPE_CHECKING:
    from handlers.objects.port import Objects

#: The manifest only names files; this is enough for gigabytes of results.
MANIFEST_BYTES = 1024 * 1024
#: Limit of one file of failed batches. If more failed, the file is to be imported again rather than repaired.
RESULT_BYTES = 256 * 1024 * 1024
#: Child executions that failed, and those that were never started.
NOT_DONE = ("FAILED", "PENDING")


def batches_not_done(objects: Objects, details: Any) -> Iterator[Any]:
    """The inputs of child executions that may not have written all rows; ``details``: the Map's result.

    Raises:
        ValidationError: it isn't the result of a ResultWriter. ObjectMissing, ObjectTooLarge.
    """
    try:
        manifest = json.loads(objects.get(details["ResultWriterDetails"]["Key"], max_bytes=MANIFEST_BYTES))
        files = [file["Key"] for kind in NOT_DONE for file in manifest["ResultFiles"][kind]]
    except (KeyError, TypeError, ValueError):
        raise ValidationError("map", type(details).__name__, "the result of a Map with a ResultWriter") from None
    for key in files:
        for execution in json.loads(objects.get(key, max_bytes=RESULT_BYTES)):
            yield json.loads(execution["Input"])
