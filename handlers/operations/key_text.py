"""Keys as people have them: copied from a table, a log line, an alarm or a message; and as commands print them."""

from __future__ import annotations

import re
import shlex

from handlers.commands.keys import EntityKey
from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, VERSION_SEPARATOR
from handlers.core.keys import VERSION_DIGITS, check_version_number
from handlers.core.values.text import is_visible

#: Words that every shell leaves as they are; ``#`` begins a comment only at the beginning of a word.
_PLAIN = re.compile(r"[\w%+=:,./-][\w@%+=:,./#-]*(?: [\w%+=:,./-][\w@%+=:,./#-]*)?", re.ASCII)
FORMS = "<KIND>#<tenant> <TYPE>#<code> or <KIND>#<tenant>#<TYPE>#<code>, each with or without @<version>"


def parse_key(text: str) -> tuple[EntityKey, int | None]:
    """The entity, and the version if one is named.

    A key of four parts (``<KIND>#<tenant>#<TYPE>#<code>``) is taken as it is, with the blanks at its ends; round the
    other form, and between its halves, there may be more blanks than one.

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
    """A key, or the id of a task, an import or a request, as it can be pasted behind a command.

    Quoted where a shell would change it (POSIX, "Quoting"); what can't be seen is written as octal escapes in
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
    # Octal always has three digits; ``\xHH`` ends where a shell thinks, and zsh, ksh and bash think differently.
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
