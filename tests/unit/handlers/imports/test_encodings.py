"""Encodings are certain or refused (decision 0150): a generated corpus, named encodings, and the bytes that mislead."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import string
from functools import cache
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.imports.encodings import catalogue as encodings
from handlers.imports.encodings import detection
from handlers.imports.encodings.catalogue import BIG5_HKSCS, CP932, CP949, ENCODINGS, EUC_JP, GB18030
from handlers.imports.encodings.places import first_bad
from handlers.imports.errors import ImportRefused
from handlers.imports.files.inspection import inspect, records_of
from handlers.imports.files.layout import Layout
from tests.unit.handlers.imports.quirks import bytes_of

LAYOUT = Layout("things", ("id", "name"), ("id",), optional=("note",))
#: Words of ordinary files, with the encodings that such files have.
LANGUAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Japanese": (
        "東京駅 コーヒー 牛乳 食パン ひらがな カタカナ 大阪府吹田市 りんごジュース 男 女 山田太郎 お問い合わせ",
        ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932", "euc_jp", "iso2022_jp", "gb18030"),
    ),
    "simplified Chinese": (
        "北京机场 上海虹桥 广州白云 咖啡 牛奶 面包 男 女 中文 深圳市南山区 李小明 产品名称",
        ("utf-8", "utf-16-be", "gb2312", "gbk", "gb18030"),
    ),
    "traditional Chinese": (
        "臺北松山 咖啡 牛奶 麵包 中文 高雄國際機場 男 女 王大明 產品名稱 香港 電車",
        ("utf-8", "big5", "cp950", "big5hkscs", "gbk", "gb18030"),
    ),
    "Korean": (
        "커피 우유 서울특별시 부산 인천국제공항 남 여 김철수 제품명 한국어 사과 빵",
        ("utf-8", "euc_kr", "cp949", "iso2022_kr"),
    ),
    "Russian": (
        "Москва кофе молоко хлеб Санкт-Петербург аэропорт Шереметьево имя Ёлка яблоко да нет",
        ("utf-8", "cp1251", "koi8_r", "iso8859-5", "cp866", "cp855", "mac_cyrillic"),
    ),
    "Greek": (
        "Αθήνα καφές γάλα ψωμί Θεσσαλονίκη αεροδρόμιο όνομα μήλο ναι όχι Ηράκλειο Ρόδος",
        ("utf-8", "cp1253", "iso8859-7", "cp737", "mac_greek"),
    ),
    "French": (
        "café Málaga résumé São-Paulo Genève Orléans crème brûlée Noël été façade Haÿ Besançon",
        ("utf-8", "cp1252", "iso8859-15", "cp850", "cp437", "mac_roman"),
    ),
    "German": (
        "Köln München Düsseldorf Straße Größe Öl Käse Brötchen Äpfel Müller Zürich Nürnberg",
        ("utf-8", "cp1252", "iso8859-1", "cp850", "mac_roman"),
    ),
    "Polish": (
        "Łódź Kraków kawa mleko chleb Gdańsk Poznań jabłko Wrocław imię Żywiec Święta",
        ("utf-8", "cp1250", "iso8859-2", "cp852", "mac_latin2"),
    ),
    "Turkish": (
        "İstanbul kahve süt ekmek İzmir Muğla şeker çay Şanlıurfa güneş ağaç Diyarbakır",
        ("utf-8", "cp1254", "iso8859-9", "cp857"),
    ),
    "Thai": ("กรุงเทพ กาแฟ นม ขนมปัง สุวรรณภูมิ ชื่อ เชียงใหม่ ภูเก็ต แอปเปิล ชาย หญิง น้ำ", ("utf-8", "cp874")),
}
BROKEN = ("one broken byte", "cut at the end")
SHAPES = ("ordinary", "short", "one accent", "upper case", *BROKEN)
CASES = [(name, codec, shape) for name, (_, known) in LANGUAGES.items() for codec in known for shape in SHAPES]


def file_of(words: list[str]) -> str:
    return "id,name\r\n" + "".join(f"{number},{word}\r\n" for number, word in enumerate(words))


def words_of(language: str, shape: str) -> list[list[str]]:
    """One file for an ordinary shape; for small ones a file for each word."""
    words = LANGUAGES[language][0].split()
    if shape == "short":
        return [[word] for word in words]
    if shape == "one accent":
        return [["plain", "text", word, "and more"] for word in words]
    if shape == "upper case":
        return [[word.upper() for word in words], *([word.upper()] for word in words)]
    return [words]


def read(content: bytes, encoding: str | None = None, layout: Layout = LAYOUT) -> tuple[str, list[list[str]]]:
    found = inspect(bytes_of(content), layout, versioned=True, encoding=encoding)
    return found.encoding, [record.values for record, _ in records_of(bytes_of(content), layout, found)]


def outcome(content: bytes) -> tuple[str, list[list[str]], str | None]:
    """The encoding and the rows, or the refusal."""
    try:
        return (*read(content), None)
    except ImportRefused as error:
        return error.code, [], str(error)


def refusal(content: bytes, encoding: str | None = None) -> str:
    with pytest.raises(ImportRefused) as refused:
        read(content, encoding)
    assert refused.value.code == "UnknownEncoding"
    return str(refused.value)


def encodable(text: str, codec: str) -> str:
    return text.encode(codec, "ignore").decode(codec)


def is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def spoilt(content: bytes, shape: str) -> bytes:
    """With a byte that the file didn't have, or without its last ones."""
    high = [index for index, byte in enumerate(content) if byte > 0x7F and index > 8] or [len(content) // 2]
    if shape == "cut at the end":
        return content[: high[-1]]
    middle = high[len(high) // 2]
    return content[:middle] + b"\xff" + content[middle + 1 :]


@pytest.mark.parametrize(("language", "codec", "shape"), CASES)
def test_edge_20_21_22_a_file_is_read_right_or_refused_with_what_helps(language: str, codec: str, shape: str) -> None:
    for words in words_of(language, shape):
        try:
            content = file_of(words).encode(codec)
        except UnicodeEncodeError:
            continue  # a letter that the encoding lacks
        truth = [[str(number), word] for number, word in enumerate(words)]
        if not codec.startswith("utf-") and not content.isascii() and is_utf_8(content):
            continue  # see test_what_is_valid_utf_8_by_chance_is_read_as_such
        if shape in BROKEN:
            content = spoilt(content, shape)
        used, rows, told = outcome(content)
        if told is not None:
            assert re.search(r"line \d+, byte \d+: 0x|zero bytes|escape sequences", told), told
            assert used == "UnknownEncoding", told
            assert any(encoding.name in told for encoding in ENCODINGS), told
            # UTF-8, and ordinary Japanese, need no name.
            assert shape in BROKEN or not codec.startswith("utf-"), told
            assert shape != "ordinary" or codec not in ("cp932", "euc_jp"), told
            continue
        if shape == "one broken byte":
            # What stands there now is valid in UTF-16 and seven bits; nowhere else.
            assert codec.startswith(("utf-16", "iso2022"))
        elif shape == "cut at the end":
            assert rows[:-1] == truth[: len(rows) - 1], (used, rows)
        else:
            assert rows == truth, (used, rows)


def test_what_is_valid_utf_8_by_chance_is_read_as_such() -> None:
    """One word alone can be: 女 in GB 2312 is Ů in UTF-8. Nothing in the file tells, so a name is the only help."""
    by_chance = {
        (word, codec)
        for words, known in LANGUAGES.values()
        for codec in known
        for word in words.split()
        if not codec.startswith(("utf-", "iso2022")) and is_utf_8(content := word.encode(codec, "replace"))
        if not content.isascii()
    }
    assert {word for word, _ in by_chance} <= {"女", "Ёлка", "όχι", "หญิง"}
    assert read(file_of(["女"]).encode("gb2312"))[1] == [["0", "Ů"]]
    assert read(file_of(["女"]).encode("gb2312"), "GB2312")[1] == [["0", "女"]]


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len({codec for _, codec, _ in CASES}) >= 12
    assert len(LANGUAGES) >= 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_edge_20_an_ordinary_file_that_is_refused_is_read_by_a_name_that_the_refusal_has(language: str) -> None:
    words, known = LANGUAGES[language]
    for codec in known:
        if codec in ("utf-8", "iso8859-15") or (language == "Japanese" and codec != "gb18030"):
            continue
        if codec.startswith(("iso2022", "utf-16")):
            continue
        words = "".join(one for one in words if one == encodable(one, codec))
        truth = [[str(number), word] for number, word in enumerate(words.split())]
        content = file_of(words.split()).encode(codec)
        told = refusal(content)
        named = [encoding.name for encoding in ENCODINGS if re.search(rf"\b{re.escape(encoding.name)}\b", told)]
        readings = {name: read(content, name)[1] for name in named if name != "UTF-8"}
        assert truth in readings.values(), (codec, told)


@pytest.mark.parametrize("words", [["男", "女", "男"], ["円", "個", "本"], ["月", "火", "水"], ["東京", "男", "女"]])
def test_edge_22_single_kanji_in_cp932_are_read(words: list[str]) -> None:
    used, rows = read(file_of(words).encode("cp932"))
    assert (used, [row[1] for row in rows]) == ("cp932", words)


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        ("gb2312", ["北京の咖啡"]),  # kana alone don't make a text Japanese
        ("gb2312", ["北京ユニクロ"]),
        ("big5", ["中文", "公文", "本日"]),  # kana, as EUC-JP has them
        ("euc_kr", ["커피ㅋㅋ", "ㅎㅎㅎ"]),
        ("gbk", ["機場"]),  # beyond GB 2312, where CP932 has its kanji
        ("cp1252", ["\u2019s-Hertogenbosch", "L\u2019Oréal", "don\u2019t"]),
        ("cp866", ["УМЛЮ"]),  # 東京
        ("cp850", ["Gérard"]),
        ("cp1251", ["ПРИВЕТ", "Њујорк"]),
        ("cp949", ["똠방각하", "펲시"]),
    ],
)
def test_edge_20_what_looks_like_japanese_is_refused(codec: str, words: list[str]) -> None:
    assert "not certain" in refusal(file_of(words).encode(codec))


#: Files that nothing but one other encoding of two bytes keeps from being read as Japanese: as what, because of which.
RIVALS = [
    (EUC_JP, GB18030, "gb2312", ["日本", "深圳", "商品", "客户"]),
    (EUC_JP, GB18030, "gbk", ["上海", "仓库", "天津", "深圳"]),
    (EUC_JP, BIG5_HKSCS, "big5", ["平日", "正比", "平日"]),
    (EUC_JP, BIG5_HKSCS, "cp950", ["單價", "中正", "平日"]),
    (EUC_JP, CP949, "euc_kr", ["회사", "힝", "상태", "뷁"]),
    (CP932, CP949, "cp949", ["쵱잞", "긩뾛"]),
]


@pytest.mark.parametrize(("japanese", "rival", "codec", "words"), RIVALS)
def test_edge_20_one_rival_of_two_bytes_is_enough(
    japanese: str, rival: str, codec: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = file_of(words).encode(codec)
    assert encodings.name_of(rival) in refusal(content).partition("but could be")[2]
    # Without it the file would be read as garbage: no other encoding has a say here.
    others = tuple(one for one in detection.EAST_ASIAN if one != rival)
    monkeypatch.setattr(detection, "EAST_ASIAN", others)
    used, rows = read(content)
    assert used == japanese
    assert [row[1] for row in rows] != words


def test_edge_20_a_character_that_each_word_has_decides_nothing() -> None:
    """As EUC-JP each of the two is a little more usual (横, 央): a hundred times a little is no evidence."""
    words = [f"{one}{letter}" for one in "玻丙" for letter in string.ascii_letters]
    assert "is not certain" in refusal(file_of(words).encode("gb2312"))


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        ("cp850", ["«oui»", "NºMüller", "élèveuvrenaïve"]),  # half-width katakana within a word
        ("mac_latin2", ["kůňświętoźrebię", "přílišJAŹŃ"]),  # a character of private use
    ],
)
def test_edge_20_what_nobody_writes_in_japanese_is_no_evidence(codec: str, words: list[str]) -> None:
    assert "is not certain" in refusal(file_of(words).encode(codec))


@pytest.mark.parametrize("broken", [b"\xff", b"\xe6\x9d", b"\x80", b"\xc3"])
def test_edge_21_mostly_valid_utf_8_is_a_broken_utf_8_file(broken: bytes) -> None:
    content = file_of(["東京", "大阪"]).encode() + b"2," + broken + b"\r\n" + "3,名古屋\r\n".encode()
    message = f"line 4, byte 3: 0x{broken[0]:02X}"
    assert f"the file is UTF-8, but not in {message}" in refusal(content)
    assert f"the file is not UTF-8 throughout: {message}" in refusal(content, "utf-8")


def test_edge_21_a_file_cut_within_a_character_names_its_end() -> None:
    content = file_of(["東京", "大阪"]).encode()[:-3]
    assert "line 3, byte 6: 0xE9 0x98" in refusal(content)


def test_edge_21_a_bad_byte_is_found_behind_megabytes() -> None:
    content = b"id,name\r\n" + "".join(f"{n},東京\r\n" for n in range(200_000)).encode() + b"x,\xff\r\n"
    assert "line 200002, byte 3: 0xFF" in refusal(content)


def test_edge_20_a_japanese_file_with_one_bad_byte_names_it() -> None:
    words = LANGUAGES["Japanese"][0].split()
    content = file_of(words).encode("cp932") + b"x,\xff\r\n"
    assert f"could be CP932 except for an error in line {len(words) + 2}, byte 3: 0xFF" in refusal(content)


@pytest.mark.parametrize("bad", [b"\xff", b"\x83", b"\xa0"])
def test_edge_20_what_is_not_japanese_behind_all_that_is_compared_is_refused_too(
    bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words are compared up to a limit; a byte that CP932 has not, or has not assigned, counts anywhere."""
    words = LANGUAGES["Japanese"][0].split()
    monkeypatch.setattr(detection, "MOST_WORDS", len(words))
    content = file_of(words).encode("cp932")
    assert read(content)[0] == "cp932"
    assert "is not certain" in refusal(content + b"x," + bad + b"\r\n")


@pytest.mark.parametrize(
    ("codec", "content", "place"),
    [
        ("cp932", b"id,name\r\n1,\x83\x5c\xa0\r\n", "line 2, byte 5: 0xA0"),
        ("cp932", b"id,name\r1,a\r2,\x80\r", "line 3, byte 3: 0x80"),
        ("iso8859-1", b"id,name\n1,a\n2,caf\xe9 \x92\n", "line 3, byte 8: 0x92"),
        ("cp1252", b"id,name\n1,\x81\n", "line 2, byte 3: 0x81"),
        ("gb18030", b"id,name\n1,\x81\x30\x81\n", "line 2, byte 3: 0x81"),
        ("utf-16-le", "id,name\n1,é\n".encode("utf-16-le") + b"\x00\xd8a\x00", "line 3, byte 1: 0x00 0xD8"),
        ("utf-16-be", "id,name\r\n1,😀".encode("utf-16-be") + b"\xdc\x00", "line 2, byte 9: 0xDC 0x00"),
        ("utf-16-le", "id,name\n1,é".encode("utf-16-le")[:-1], "line 2, byte 5: 0xE9"),
    ],
)
def test_edge_20_a_named_encoding_is_held_to(codec: str, content: bytes, place: str) -> None:
    name = encodings.name_of(codec)
    assert f"the file is not {name} throughout: {place}" in refusal(content, name)


@pytest.mark.parametrize("edge", range(-5, 6))
def test_a_place_is_found_wherever_blocks_end(edge: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from handlers.imports.encodings import places

    monkeypatch.setattr(places, "BLOCK", 64)
    good = b"a\r\n" * 20 + b"x" * (4 + edge) + "表\r\n".encode("cp932")
    found = first_bad(bytes_of(good + b"12\xff"), "cp932")
    assert found is not None
    assert (found.line, found.byte) == (22, 3)


def test_a_name_that_is_not_the_marks_is_refused() -> None:
    content = codecs.BOM_UTF8 + b"id,name\n"
    assert "the file begins as UTF-8 does, but CP932 is named" in refusal(content, "cp932")
    assert "begins as UTF-16LE does, but UTF-16BE is named" in refusal("id,name\n".encode("utf-16"), "utf-16be")
    assert "no byte order mark of UTF-16; name UTF-16LE or UTF-16BE" in refusal(b"id,name\n", "UTF-16")
    assert read("id,name\n1,a\n".encode("utf-16-be"), "utf-16")[0] == "utf-16-be"
    assert read(codecs.BOM_UTF16_LE + "id,name\n1,a\n".encode("utf-16-le"), "utf-16le")[1] == [["1", "a"]]


def test_a_strategy_names_the_encoding_of_its_files_and_an_import_another() -> None:
    layout = Layout("things", ("id", "name"), ("id",), encoding="Windows-1251")
    content = file_of(["Москва"])
    assert read(content.encode("cp1251"), layout=layout) == ("cp1251", [["0", "Москва"]])
    assert read(content.encode("koi8_r"), "KOI8-R", layout)[0] == "koi8_r"


#: What people and programs call them, beside the names that jobs and messages say.
NAMES = {
    "utf-8": ("utf8", "UTF-8-SIG", "UTF-8 BOM", "65001", "cp65001"),
    "cp932": ("Shift_JIS", "sjis", "x-sjis", "MS932", "Windows-31J", "csWindows31J"),
    "euc_jp": ("eucJP", "ujis"),
    "iso2022_jp": ("ISO-2022-JP", "JIS"),
    "gb18030": ("GBK", "GB2312", "cp936", "936", "MS936", "EUC-CN"),
    "cp950": ("950", "MS950"),
    "euc_kr": ("KS_C_5601", "KSX1001"),
    "cp949": ("UHC", "MS949", "windows-949", "949"),
    "cp1252": ("windows-1252", "1252"),
    "cp874": ("windows-874", "TIS-620", "ISO-8859-11"),
    "iso8859-1": ("latin1", "Latin-1", "l1"),
    "iso8859-15": ("latin9", "ISO_8859-15"),
    "cp850": ("ibm850", "850"),
    "mac_roman": ("macintosh", "Mac Roman"),
    "mac_latin2": ("x-mac-ce", "MacCentralEurope"),
    "mac_cyrillic": ("x-mac-cyrillic",),
    "mac_greek": ("x-mac-greek",),
}


def test_edge_20_the_names_that_people_and_programs_write_are_known() -> None:
    assert {codec: {encodings.encoding_named(one) for one in names} for codec, names in NAMES.items()} == {
        codec: {codec} for codec in NAMES
    }


def test_every_name_is_a_codec_and_no_two_share_one() -> None:
    names: dict[str, str] = {}
    for encoding in ENCODINGS:
        codecs.lookup(encoding.codec)
        for name in (encoding.name, *encoding.aliases):
            assert names.setdefault(name.lower().replace("-", "").replace(" ", ""), encoding.codec) == encoding.codec
            assert encodings.encoding_named(name) == encoding.codec


@pytest.mark.parametrize(
    ("codec", "text"), [("cp932", "ソ表ポ能十|"), ("big5", "許功蓋誤"), ("gb18030", "丂丄乗\u0080㐀")]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_second_bytes_that_are_delimiters_quotes_or_backslashes_are_part_of_their_character(
    codec: str, text: str, delimiter: str
) -> None:
    text = text.replace("\u0080", "")
    content = f'id{delimiter}name\n1{delimiter}"{text}"\n2{delimiter}{text.replace("|", "")}\n'.encode(codec)
    assert any(mark in content.replace(delimiter.encode() + b'"', b"") for mark in (b"\\", b"|", b"0", b"9"))
    assert read(content, codec)[1] == [["1", text], ["2", text.replace("|", "")]]


QUOTING: tuple[Literal[0, 1], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
DIALECTS = list(itertools.product((",", ";", "\t", "|"), ("\r\n", "\n", "\r"), QUOTING, (True, False)))
NAMED = [encoding for encoding in ENCODINGS if encoding.name not in ("UTF-16", "UTF-32")]
#: The planes in which encodings of a part of Unicode have characters.
PLANES = "".join(chr(one) for one in (*range(0xD800), *range(0xE000, 0x10000), *range(0x20000, 0x30000)))


@cache
def texts_in(codec: str) -> st.SearchStrategy[str]:
    """Short texts of the characters that the codec gives back as they were."""
    # By these controls encodings with states change them, so that in a text they don't come back (RFC 1554, RFC 1557).
    shifts = "\x0e\x0f\x1b" if codec.startswith("iso2022") else ""
    asked = PLANES.translate(str.maketrans("", "", shifts))
    known = "".join(sorted(set(asked.encode(codec, "ignore").decode(codec, "ignore"))))
    if known == PLANES:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    return st.text([one for one in known if one.encode(codec, "ignore").decode(codec, "ignore") == one], max_size=12)


@pytest.mark.parametrize("examples", [150, pytest.param(600, marks=pytest.mark.slow)])
def test_what_python_writes_in_a_named_encoding_imports_equal(examples: int) -> None:
    settings(max_examples=examples, deadline=None)(what_python_writes_imports_equal)()


@given(data=st.data())
def what_python_writes_imports_equal(data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(NAMED))
    delimiter, end, quoting, has_note = data.draw(st.sampled_from(DIALECTS))
    stray = encodings.stray_in(encoding.codec)
    texts = texts_in(encoding.codec)
    names = ("id", "name", "note") if has_note else ("id", "name")
    values = data.draw(st.lists(st.tuples(*(texts for _ in names[1:])), max_size=6))
    rows = [[str(number), *row] for number, row in enumerate(values)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([list(names), *rows])
    content = buffer.getvalue().encode(encoding.codec)
    # What the codec itself gives back, and what Python's reader makes of it: a return alone is not always quoted.
    text = content.decode(encoding.codec)
    expected = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row][1:]
    if (stray is not None and stray.search(text)) or any(len(row) != len(names) for row in expected):
        return
    assert read(content, encoding.name)[1] == expected
