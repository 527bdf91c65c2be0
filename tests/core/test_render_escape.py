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

from reconciler.render.escape import json_text, markdown, markdown_advice, plain, printable

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
    wanted = printable(text).strip()
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
    assert text == [cell for left, right in rows for cell in (f"x{printable(left).strip()}", printable(right).strip())]


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
    assert printable(text) == text
    assert plain(text) == text or OBEYED.search(text)
    assert not OBEYED.search(plain(text))


OBEYED = re.compile(r"(?i)##(?:vso)?\[|::[a-z]")
"""What the agent of a CI would obey in its log."""


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("##vso[task.complete]", r"#\x23vso[task.complete]"),
        ("a ###[error]", r"a ##\x23[error]"),
        ("##VSO[", r"#\x23VSO["),
        ("::error::b", r":\x3aerror:\x3ab"),
        ("  ::add-mask::", r"  :\x3aadd-mask::"),
        ("fe80::1 a:: # ## #[ a:b", "fe80::1 a:: # ## #[ a:b"),
    ],
)
def test_what_an_agent_would_obey_is_broken(text: str, shown_as: str) -> None:
    assert plain(text) == shown_as
    for document in (markdown(text), markdown_advice(text), json_text(json.dumps(text))):
        assert not re.search(r"(?i)##(?:vso)?\[|^\s*::[a-z]", document)
    assert json.loads(json_text(json.dumps(text))) == text
    assert shown(markdown(text)) == text.strip()


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


# --- our own words, with code in them --------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["`", "``", "a", " ", "|", "\\", "]", "(x)", "*", "_", "<b>", "@x", "$", "{", "http://x.example", "#"]
)
ADVICE = TEXTS | st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("correct `expires`.", "correct `expires`."),
        ("`reconcile prune` first", "`reconcile prune` first"),
        ("Name `{vault: NAME, secret: NAME}`", "Name `{vault: NAME, secret: NAME}`"),
        ("`*_FREE` and *_FREE", "`*_FREE` and \\*\\_FREE"),
        ("an odd ` tick", "an odd \\` tick"),
        ("``a``", "\\`\\`a\\`\\`"),
        ("`a``b`", "\\`a\\`\\`b\\`"),
        ("`a|b`", "\\`a&#124;b\\`"),
        ("`<b>`", "\\`&lt;b&gt;\\`"),
        ("`{{ x }}`", "\\`\\{\\{ x \\}\\}\\`"),
        ("` a`", "\\` a\\`"),
        ("`::error x`", "\\`:&#58;error x\\`"),
        ("- `a`", "\\- `a`"),
    ],
)
def test_in_our_own_words_what_is_between_backticks_is_code_if_it_is_harmless(text: str, expected: str) -> None:
    assert markdown_advice(text) == expected


@given(ADVICE)
@example("`a`\\`b`")
@example("`a` `b` ` c")
def test_our_own_words_show_as_text_and_code_and_nothing_else(text: str) -> None:
    for document in (markdown_advice(text), f"# {markdown_advice(text)}", f"> {markdown_advice(text)}"):
        tokens = inline(document)
        assert {token.type for token in tokens} <= {"text", "text_special", "code_inline"}
        seen = "".join(f"`{token.content}`" if token.type == "code_inline" else token.content for token in tokens)
        assert seen.replace(WORD_JOINER, "") == plain(text).strip()


@given(ADVICE, ADVICE)
def test_our_own_words_stay_in_their_cell(left: str, right: str) -> None:
    row = f"| x{markdown_advice(left)} | {markdown_advice(right)} | end |"
    tokens = RENDERER.parse(f"| A | B | C |\n| --- | --- | --- |\n{row}")
    cells = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 3
    assert cells[2] == "end"
