"""Strict YAML: what scalars mean, where things stand, and what is refused."""

from __future__ import annotations

import pytest
import yaml

from reconciler.config import yaml_source
from reconciler.config.source import Source
from reconciler.config.yaml_source import MAX_BYTES, read
from reconciler.config.yaml_values import MAX_DEPTH
from tests.config.config_world import CORPUS


def parsed(text: str | bytes) -> Source:
    return read(text if isinstance(text, bytes) else text.encode(), "portals.d/contoso.yaml")


def codes(source: Source) -> list[str]:
    return [problem.code for problem in source.problems]


SURPRISES: list[tuple[str, object]] = [
    ("no", "no"),
    ("No", "No"),
    ("yes", "yes"),
    ("on", "on"),
    ("OFF", "OFF"),
    ("y", "y"),
    ("010", "010"),
    ("0o10", "0o10"),
    ("0x1F", "0x1F"),
    ("0b1", "0b1"),
    ("1_000", "1_000"),
    ("+1", "+1"),
    ("1:30", "1:30"),
    ("12:30:45", "12:30:45"),
    ("2027-03-31", "2027-03-31"),
    ("2027-03-31T10:00:00Z", "2027-03-31T10:00:00Z"),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("1e999", "1e999"),
    (".5", ".5"),
    ("5.", "5."),
    ("=", "="),
    ("true", True),
    ("False", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("0", 0),
    ("-17", -17),
    ("34.40", 34.4),
    ("1e3", 1000.0),
    ("9" * 5000, "9" * 5000),
    ('"true"', "true"),
    ("'12'", "12"),
    ('""', ""),
]


@pytest.mark.parametrize(("written", "meant"), SURPRISES)
def test_a_scalar_means_what_it_looks_like(written: str, meant: object) -> None:
    source = parsed(f"key: {written}\n")
    assert source.problems == ()
    assert source.value == {"key": meant}
    assert type(source.value["key"]) is type(meant)


@pytest.mark.parametrize("key", ["no", "on", "true", "null", "12", "2027-03-31", "3.5"])
def test_a_key_is_always_text(key: str) -> None:
    assert parsed(f"{key}: x\n").value == {key: "x"}


def test_positions_count_characters_from_one() -> None:
    source = parsed("# first\n'é 東京': {a: 1, 🏢b: [x, 'y']}\nlist:\n  - c:   d\n  -\n    e: |\n      f\n")
    assert source.value == {"é 東京": {"a": 1, "🏢b": ["x", "y"]}, "list": [{"c": "d"}, {"e": "f\n"}]}
    assert source.key_position("é 東京") == (2, 1)
    assert source.position("é 東京", "a") == (2, 13)
    assert source.key_position("é 東京", "🏢b") == (2, 16)
    assert source.position("é 東京", "🏢b", 1) == (2, 24)
    assert source.position("list", 0, "c") == (4, 10)
    assert source.key_position("list", 0) == (4, 5)
    assert source.key_position("list", 1, "e") == (6, 5)
    assert source.position() == (2, 1)


def test_the_position_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    source = parsed("a:\n  b: 1\n")
    assert source.position("a", "missing", 3) == source.position("a") == (2, 3)
    assert parsed("").position("a") == (1, 1)


def test_windows_line_ends_are_line_ends() -> None:
    source = parsed("a: 1\r\nb: 2\r\n")
    assert source.value == {"a": 1, "b": 2}
    assert source.position("b") == (2, 4)


def test_the_first_of_two_equal_keys_counts_and_reading_goes_on() -> None:
    source = parsed("a: 1\nb: {c: 1, 'c': {d: [2]}}\na: &x 3\n")
    assert source.value == {"a": 1, "b": {"c": 1}}
    assert [(problem.code, problem.line, problem.column) for problem in source.problems] == [
        ("duplicate-key", 2, 11),
        ("duplicate-key", 3, 1),
    ]


def test_a_tag_never_makes_an_object(capfd: pytest.CaptureFixture[str]) -> None:
    source = parsed('a: !!python/object/apply:os.system ["echo executed"]\nb: !!int "5"\n')
    assert codes(source) == ["tag", "tag"]
    assert source.value == {"a": ["echo executed"], "b": "5"}
    assert capfd.readouterr().out == ""


def test_an_alias_has_no_value() -> None:
    source = parsed("a: &x [1]\nb: *x\n")
    assert source.value == {"a": [1], "b": None}
    assert source.opaque == {("b",)}
    assert codes(source) == ["anchor-or-alias", "anchor-or-alias"]


def test_doubling_aliases_cost_nothing() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    assert set(codes(parsed("\n".join(lines)))) == {"anchor-or-alias"}


def test_depth_is_bounded() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert codes(parsed(f"a: {deepest[1:-1]}\n")) == []
    assert codes(parsed(f"a: {deepest}\n")) == ["too-deep"]
    assert codes(parsed("[" * 500_000)) == ["too-deep"]
    assert codes(parsed("- " * 200_000)) == ["too-deep"]


def test_size_is_bounded() -> None:
    assert codes(parsed("#" * MAX_BYTES)) == []
    assert codes(parsed("#" * (MAX_BYTES + 1))) == ["too-large"]


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ufeff", "\uffff"]
)
def test_a_character_that_hides_something_is_named_with_its_place(character: str) -> None:
    (problem,) = parsed(f"a: 1\nb: é{character}\n").problems
    assert (problem.code, problem.line, problem.column) == ("control-character", 2, 5)
    assert f"U+{ord(character):04X}" in problem.message
    assert str(problem).isprintable()


def test_problems_before_a_syntax_error_are_kept() -> None:
    assert codes(parsed("a: &x 1\nb: [\n")) == ["yaml-syntax", "anchor-or-alias"]


def test_a_file_that_begins_with_an_encoding_other_than_utf_8_is_refused() -> None:
    assert codes(parsed("a: é\n".encode("utf-16"))) == ["not-utf-8"]
    (problem,) = parsed(b"a: 1\nb: caf\xe9\n").problems
    assert (problem.code, problem.line, problem.column) == ("not-utf-8", 2, 7)


def test_the_parser_without_libyaml_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [path.read_bytes() for path in sorted(CORPUS.rglob("*.yaml"))]
    fast = [parsed(content) for content in files]
    monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    slow = [parsed(content) for content in files]
    assert [(source.value, codes(source)) for source in slow] == [(source.value, codes(source)) for source in fast]
