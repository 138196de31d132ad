from __future__ import annotations

import json
import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from handlers.core.values.text import is_visible, visible, visible_json, visible_lines

#: PropList.txt of the Unicode Character Database, property Bidi_Control.
BIDI_CONTROL = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
ANY_TEXT = st.text(st.characters())  # half surrogate pairs too


def test_edge_51_every_control_of_unicode_is_escaped_and_every_letter_is_not() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp", "Cs") or code in BIDI_CONTROL:
            assert not is_visible(character), hex(code)
            assert visible(character).isascii(), hex(code)
            assert "\\" in visible(character), hex(code)
        if category[0] in "MNPS" or category in ("Lu", "Ll", "Lt", "Lm", "Zs"):
            assert visible(character) == character, hex(code)


def test_edge_51_escapes_name_the_character() -> None:
    assert visible("a\x1b[2J\r\n\tb\x9b\u202e\U000e0041\ud800") == ("a\\x1b[2J\\r\\n\\tb\\x9b\\u202e\\U000e0041\\ud800")
    assert visible_lines("a\n\tb\rc\u2028") == "a\n\tb\\rc\\u2028"
    assert is_visible("商品 👩\u200d👩\u200d👧 नी\u200cर")


@given(ANY_TEXT)
def test_edge_51_one_text_is_one_line(text: str) -> None:
    assert len(visible(text).splitlines()) <= 1
    assert is_visible(visible(text))


@given(st.recursive(ANY_TEXT, lambda inner: st.dictionaries(ANY_TEXT, inner) | st.lists(inner), max_leaves=5))
def test_edge_51_json_keeps_its_values(value: object) -> None:
    document = visible_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == json.loads(json.dumps(value))
    assert is_visible(document)
