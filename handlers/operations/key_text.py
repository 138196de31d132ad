"""Keys as people have them: copied from a table, a log line, an alarm or a message."""

from __future__ import annotations

from handlers.errors import ValidationError
from handlers.key_parts import SEPARATOR, VERSION_SEPARATOR
from handlers.keys import VERSION_DIGITS, EntityKey, check_version_number

FORMS = "<KIND>#<tenant> <TYPE>#<code> or <KIND>#<tenant>#<TYPE>#<code>, each with or without @<version>"


def parse_key(text: str) -> tuple[EntityKey, int | None]:
    """The entity, and the version if one is named.

    Raises:
        ValidationError: naming the key and the forms that are allowed.
    """
    base, at, digits = text.strip().rpartition(VERSION_SEPARATOR)
    if not at:
        base, version = digits, None
    elif digits.isascii() and digits.isdigit() and len(digits) <= VERSION_DIGITS:
        version = check_version_number("version", int(digits))
    else:
        raise ValidationError("key", text, FORMS)
    parts = base.split(SEPARATOR)
    if len(parts) == 3:
        # <KIND>#<tenant> <TYPE>#<code>: a type has no blank in it, a tenant may.
        tenant, blank, type_ = parts[1].rpartition(" ")
        parts = [parts[0], tenant.strip(), type_, parts[2]] if blank else []
    if len(parts) != 4:
        raise ValidationError("key", text, FORMS)
    return EntityKey(*parts), version
