"""Makes untrusted text safe to print: characters that a terminal would interpret or not show are escaped."""

from __future__ import annotations

import re

#: Characters that control a terminal, break a line, reorder the displayed text or are invisible:
#: controls (C0, DEL, C1: ECMA-48), line and paragraph separators, the characters with the property Bidi_Control
#: (Unicode Standard Annex 9; "Trojan Source", CVE-2021-42574), invisible fillers and tags (Unicode Technical Report
#: 36), and half surrogate pairs, which no encoding takes. Joiners (U+200C, U+200D) stay: scripts need them.
_UNSAFE = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
)
_unsafe = re.compile(f"[{_UNSAFE}]")
_unsafe_in_lines = re.compile(f"(?![\n\t])[{_UNSAFE}]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line, with Python escapes (``\\x1b``, ``\\u202e``) for unsafe characters."""
    return _unsafe.sub(_escape, text)


def visible_lines(text: str) -> str:
    """The same, but keeps line feeds and tabs."""
    return _unsafe_in_lines.sub(_escape, text)


def visible_json(document: str) -> str:
    """The same for a JSON document with raw characters in its strings: it stays JSON with the same values."""
    return _unsafe_in_lines.sub(_escape_in_json, document)


def is_visible(text: str) -> bool:
    """Whether ``visible`` would leave the text unchanged."""
    return _unsafe.search(text) is None


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"


def _escape_in_json(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    # JSON escapes higher code points as two surrogates (RFC 8259, section 7).
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"
