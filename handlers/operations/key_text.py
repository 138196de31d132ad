"""Parses keys that people copy from a table, a log line, an alarm or a message, and prints keys for commands."""

from __future__ import annotations

import re
import shlex

from handlers.commands.keys import EntityKey
from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, VERSION_SEPARATOR
from handlers.core.keys import VERSION_DIGITS, check_version_number
from handlers.core.values.text import is_visible

#: Words that every shell leaves unchanged; ``#`` starts a comment only at the start of a word.
_PLAIN = re.compile(r"[\w%+=:,./-][\w@%+=:,./#-]*(?: [\w%+=:,./-][\w@%+=:,./#-]*)?", re.ASCII)
FORMS = "<KIND>#<tenant> <TYPE>#<code> or <KIND>#<tenant>#<TYPE>#<code>, each with or without @<version>"


def parse_key(text: str) -> tuple[EntityKey, int | None]:
    """The entity, and the version if one is named.

    A key of four parts (``<KIND>#<tenant>#<TYPE>#<code>``) is taken literally, including leading and trailing blanks;
    the other form may have additional blanks around it and between its halves.

    Raises:
        ValidationError: naming the key and the forms that are allowed.
    """
    if not isinstance(text, str):
        raise ValidationError("key", text, FORMS)
    exact = text if text.count(SEPARATOR) == 3 else text.strip()
    base, at, digits = exact.rpartition(VERSION_SEPARATOR)
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


def pasteable(key: object) -> str:
    """A key, or the id of a task, an import or a request, as an argument that can be pasted into a shell.

    Quoted if a shell would change it (POSIX, "Quoting"); invisible characters are written as octal escapes in
    ``$'...'`` ("Dollar-Single-Quotes" of POSIX.1-2024; bash, zsh, ksh and busybox read it, too).
    """
    text = str(key)
    if not is_visible(text):
        return "$'" + "".join(map(_escaped, text)) + "'"
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if is_visible(character):
        return character
    # Octal escapes always have three digits; zsh, ksh and bash disagree on where ``\xHH`` ends.
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
