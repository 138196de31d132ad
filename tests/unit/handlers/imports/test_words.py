"""Which decoded bytes can be words: a file whose reading has them is not certain to be Japanese."""

from __future__ import annotations

import pytest

from handlers.imports.encodings.words import can_be, contradictions, is_mostly_ascii

#: Words with letters that few other languages have. Who misses one takes a file of that language for Japanese.
WORDS = {
    "French": "Noël cœur maïs naïve château Haÿ",
    "German": "Straße Größe Übung",
    "Spanish": "niño pingüino 1ª 2º",
    "Portuguese": "São coração português",
    "Italian": "perché così città",
    "Catalan": "col·lecció L'Hospitalet aïllar",
    "Dutch": "coëfficiënt één ĳsvrij",
    "Danish": "smørrebrød Århus",
    "Swedish": "räksmörgås Malmö",
    "Icelandic": "Þórður Ísafjörður ætíð",
    "Estonian": "õhtusöök šokolaad žanr",
    "Hungarian": "árvíztűrő tükörfúrógép",
    "Polish": "zażółć gęślą jaźń",
    "Czech": "příliš žluťoučký kůň úpěl",
    "Slovak": "vŕba kôň ľúbi Ĺubietová",
    "Croatian": "đak čćšž",
    "Romanian": "în țară știință ţară ştiinţă",
    "Turkish": "ığdır şişe çağ",
    "Latvian": "ķirsis ļoti mūžīgs ņem ģimene",
    "Lithuanian": "žąsų ėjimas įdėti ūkis",
    "Albanian": "shtëpi çfarë",
    "Welsh": "dŵr tŷ môr",
    "Maltese": "għajn ħobż ċavetta ġurnal",
    "Esperanto": "ĉiuĵaŭde ŝipo ĝardeno ĥoro",
    "Vietnamese": "đăng ơn ưa xã",
    "Russian": "съёмка объявление",
    "Ukrainian": "їжак ґанок щастя єдність",
    "Belarusian": "ўсход дзённік",
    "Serbian": "ђак љубав његош џеп ћуран",
    "Macedonian": "ѓавол ќебе ѕвезда",
    "Greek": "Αθήνα ψωμί",
    "Hebrew": "שלום",
    "Arabic": "سلام",
    "Thai": "กรุงเทพ น้ำ เชียงใหม่ ๑๒๓",
}


@pytest.mark.parametrize("language", WORDS)
def test_edge_20_words_of_many_languages_are_known(language: str) -> None:
    assert [word for word in WORDS[language].split() if not can_be(word)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Ã©tÃ©",  # UTF-8 as CP1252
        "žñ",  # Lithuanian and Spanish
        "жљў",
        "aЖ",  # of two scripts
        "Жд\u05d0",
        "mañA",  # a capital within a word
        "ab£c",  # a mark within a word
        "ПбПбПбПб",  # every second letter is the same: characters of two bytes
        "กขกฃกคกฅ",
        "\u4e00",
    ],
)
def test_edge_20_what_no_language_writes_is_no_word(text: str) -> None:
    assert not can_be(text)


def test_edge_20_parts_between_blanks_and_delimiters_are_words_of_their_own() -> None:
    assert can_be("niño|žąsų")
    assert not can_be("niñožąsų")
    assert contradictions(["niño", "niñožąsų", "plain", "Ã©tÃ©"]) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["été"], True),  # two letters with marks to one without
        (["éété"], False),
        (["éété", "plain"], True),
        (["12", "éé"], False),  # digits are no letters
        (["ЖЖЖ"], True),  # not Latin, which is not asked
    ],
)
def test_edge_20_a_latin_text_is_mostly_ascii(words: list[str], expected: bool) -> None:
    assert is_mostly_ascii(words) is expected
