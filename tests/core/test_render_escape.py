"""Text from outside is harmless wherever it is shown. markdown-it renders CommonMark with GitHub's tables."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.render.escape import json_text, markdown, plain

RENDERER = MarkdownIt("commonmark").enable("table")
WORD_JOINER = "\u2060"
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}

ALPHABET = "ab1_ *`~$[]()<>!|\\#+-=.:/@&;{}\"'^%?,\n\r\t\x00\x1b\x85\u2028\u202e\u200b\u2066\xa0é漢🙂"
HARD = st.text(st.sampled_from(ALPHABET), max_size=30)
TEXTS = HARD | st.text(max_size=30) | st.sampled_from(["www.x.example", "http://x.example", "a@b.example", "@everyone"])


def inline(text: str) -> list[Token]:
    """The tokens of every piece of running text in a Markdown document."""
    return [child for token in RENDERER.parse(text) for child in token.children or ()]


def shown(text: str) -> str:
    """What a reader of a Markdown document sees; fails on anything but text."""
    tokens = inline(text)
    assert {token.type for token in tokens} <= {"text", "text_special"}
    return "".join(token.content for token in tokens).replace(WORD_JOINER, "")


@given(TEXTS)
@example("-")
@example("1.")
@example("12) x")
@example("    code")
@example("===")
@example("a\\")
@example("\\|")
@example("a_b_c __d__ _e_")
@example("&lt;&#124;")
@example("[x]: http://x.example")
def test_a_text_shows_as_itself(text: str) -> None:
    wanted = plain(text).strip()
    for document in (markdown(text), f"# {markdown(text)}", f"- {markdown(text)}", f"> {markdown(text)}"):
        assert shown(document) == wanted
        assert [token.type for token in RENDERER.parse(document) if token.type in ("html_block", "hr", "fence")] == []
    assert len([token for token in RENDERER.parse(markdown(text)) if token.type.endswith("_open")]) <= 1
    assert "list_item_open" not in [token.type for token in RENDERER.parse(markdown(text))]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_a_table_has_as_many_cells_as_were_put_into_it(rows: list[tuple[str, str]]) -> None:
    lines = ["| A | B |", "| --- | --- |", *[f"| x{markdown(left)} | {markdown(right)} |" for left, right in rows]]
    tokens = RENDERER.parse("\n".join(lines))
    found = [tokens[place + 1].children or [] for place, token in enumerate(tokens) if token.type == "td_open"]
    text = ["".join(child.content for child in cell).replace(WORD_JOINER, "") for cell in found]
    assert text == [cell for left, right in rows for cell in (f"x{plain(left).strip()}", plain(right).strip())]


@given(TEXTS)
def test_one_line_stays_one_line_without_anything_raw(text: str) -> None:
    escaped = markdown(text)
    assert len(escaped.splitlines()) <= 1
    assert not set("|<>") & set(escaped)
    assert not any(unicodedata.category(character) in UNSEEN for character in escaped)


@given(TEXTS)
def test_nothing_invites_a_link_or_a_mention(text: str) -> None:
    escaped = markdown(f"{text} HTTP://x.example (www.x.example _www.x.example @team a@b.example")
    assert "@" not in escaped
    assert not re.search(r"(?i)[a-z]://|(?:^|[\s*_~(])www[.]", escaped)


@given(st.text())
def test_plain_text_has_no_character_that_a_terminal_acts_on(text: str) -> None:
    assert not any(unicodedata.category(character) in UNSEEN for character in plain(text))


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_text_without_such_characters_is_left_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Contoso", "Contoso"),
        ("Ünïcödé 漢字 🙂", "Ünïcödé 漢字 🙂"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202edef", r"abc\u202edef"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("\u2028", r"\u2028"),
    ],
)
def test_what_cannot_be_seen_becomes_visible(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENTERPRISE_PACK_2", "ENTERPRISE_PACK_2"),
        ("Planner & Project", "Planner &amp; Project"),
        ("Exchange Online (Plan 1)", "Exchange Online (Plan 1)"),
        ("*_FREE", "\\*\\_FREE"),
        ("a|b", "a&#124;b"),
        ("<b>", "&lt;b&gt;"),
        ("- x", "\\- x"),
        ("3. x", "3\\. x"),
    ],
)
def test_markdown_is_escaped_no_more_than_needed(text: str, expected: str) -> None:
    assert markdown(text) == expected


@given(st.recursive(st.none() | st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_json_reads_the_same_and_shows_every_character(value: object) -> None:
    text = json_text(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value
    assert not any(unicodedata.category(character) in UNSEEN for character in text.replace("\n", ""))
    text.encode()


def test_json_keeps_what_people_can_read() -> None:
    assert json_text('"Ünïcödé 漢字 🙂"') == '"Ünïcödé 漢字 🙂"'
    assert json_text('"\U000e0041\u202e\ud800"') == '"\\udb40\\udc41\\u202e\\ud800"'
