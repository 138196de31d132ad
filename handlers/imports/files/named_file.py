"""Validation of the file that a caller names for an import."""

from __future__ import annotations

import re
from collections.abc import Collection

from handlers.core.errors import ValidationError
from handlers.core.key_parts import encoded
from handlers.imports.encodings import catalogue as encodings
from handlers.imports.errors import ImportRefused
from handlers.imports.files.formats import JSON_LINES, format_of

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: S3 User Guide, "Naming Amazon S3 objects".
_MAX_KEY_BYTES = 1024


def check_file(bucket: str, object_key: str, encoding: str | None, buckets: Collection[str]) -> None:
    """Raises ValidationError naming ``bucket``, ``key`` or ``encoding``. ``buckets``: the allowed ones."""
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket) or bucket not in buckets:
        raise ValidationError("bucket", bucket, f"one of {', '.join(sorted(buckets))} (importBuckets)")
    if not isinstance(object_key, str) or not 0 < len(encoded("key", object_key)) <= _MAX_KEY_BYTES:
        raise ValidationError("key", object_key, f"text of 1 to {_MAX_KEY_BYTES} bytes")
    if encoding is not None:
        try:
            encodings.encoding_named(encoding)
        except ImportRefused as error:
            raise ValidationError("encoding", encoding, encodings.KNOWN) from error
        if format_of(object_key) is JSON_LINES:
            try:
                encodings.check_utf_8(encoding)
            except ImportRefused as error:
                raise ValidationError("encoding", encoding, "UTF-8, as JSON Lines are") from error
