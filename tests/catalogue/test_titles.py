"""The built-in table, the user's own table over it, and the cleaning of text from outside."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.catalogue.titles import FILE_NAME, GUID, LONGEST, Entry, built_in, clean, load, render, save
from reconciler.errors import StateError

E3 = Entry("6fd2c87f-b296-42f0-b197-1e91e994b900", "ENTERPRISEPACK", "Office 365 E3")
UNKNOWN = "11111111-2222-3333-4444-555555555555"


def own_table(state: Path, *rows: str, header: str = "sku_id,part_number,title") -> Path:
    """A ``state`` folder whose catalogue.csv has these lines."""
    state.mkdir(exist_ok=True)
    (state / FILE_NAME).write_text("".join(f"{row}\n" for row in (header, *rows)), encoding="utf-8")
    return state


def test_the_built_in_table_is_in_canonical_form() -> None:
    shipped = (files("reconciler.catalogue") / "skus.csv").read_bytes()
    assert shipped.decode("utf-8") == render(built_in().entries.values())


def test_the_built_in_table_holds_the_skus_in_common_use() -> None:
    assert 180 <= len(built_in().entries) <= 260
    part_numbers = {entry.part_number for entry in built_in().entries.values()}
    assert part_numbers >= {"SPE_E5", "ENTERPRISEPACK", "SPB", "FLOW_FREE", "POWER_BI_STANDARD", "WINDOWS_STORE"}


def test_the_built_in_table_names_no_part_number_twice() -> None:
    part_numbers = [entry.part_number for entry in built_in().entries.values()]
    assert len(set(part_numbers)) == len(part_numbers)


@pytest.mark.parametrize("entry", built_in().entries.values(), ids=lambda entry: entry.part_number)
def test_a_built_in_entry_is_well_formed(entry: Entry) -> None:
    assert GUID.fullmatch(entry.sku_id)
    assert entry.part_number
    assert entry.title
    assert (clean(entry.part_number), clean(entry.title)) == (entry.part_number, entry.title)
    assert "_" not in entry.title, "internal suffixes are no part of a name"


def test_a_title_is_found_by_sku_id_whatever_the_part_number() -> None:
    assert built_in().title(E3.sku_id, "SOMETHING_ELSE") == E3.title


def test_an_unknown_sku_is_called_by_its_part_number() -> None:
    assert built_in().title(UNKNOWN, "BRAND_NEW") == "BRAND_NEW"


def test_a_part_number_from_a_tenant_is_cleaned() -> None:
    assert built_in().title(UNKNOWN, "BRAND\x1b[31m\u202e_NEW \n") == "BRAND[31m_NEW"


@pytest.mark.parametrize("part_number", ["", "\x07\n"])
def test_an_unknown_sku_without_part_number_is_called_by_its_id(part_number: str) -> None:
    assert built_in().title(UNKNOWN, part_number) == UNKNOWN


def test_without_a_table_of_ones_own_the_built_in_one_counts(tmp_path: Path) -> None:
    assert load(None) == load(tmp_path) == load(tmp_path / "missing") == built_in()


def test_ones_own_table_overrides_its_skus_and_leaves_the_others(tmp_path: Path) -> None:
    catalogue = load(own_table(tmp_path, f"{E3.sku_id},ENTERPRISEPACK,E3 as we call it", f"{UNKNOWN},NEW,New product"))
    assert catalogue.title(E3.sku_id, "") == "E3 as we call it"
    assert catalogue.title(UNKNOWN, "") == "New product"
    assert catalogue.title("06ebc4ee-1bb5-47dd-8120-11324bc54e06", "") == "Microsoft 365 E5"


def test_ones_own_table_is_cleaned_and_its_ids_are_made_lower_case(tmp_path: Path) -> None:
    state = own_table(tmp_path, f"{E3.sku_id.upper()},ENTERPRISEPACK,Office\u00a0 365\x00 E3 ")
    assert load(state).entries[E3.sku_id] == E3


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    content = f"sku_id,part_number,title\r\n{E3.sku_id},ENTERPRISEPACK,Ours\r\n"
    (tmp_path / FILE_NAME).write_bytes(content.encode("utf-8-sig"))
    assert load(tmp_path).title(E3.sku_id, "") == "Ours"


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("<<<<<<< HEAD", "3 columns expected, found 1"),
        ("", "3 columns expected, found 0"),
        (f"{UNKNOWN},NEW,New,more", "3 columns expected, found 4"),
        ("NEW,New product,title", "not a GUID"),
        (f"{UNKNOWN},NEW, ", "title is empty"),
        (f"{E3.sku_id},ENTERPRISEPACK,Again", "twice"),
        (f'{UNKNOWN},NEW,"open', "not CSV"),
    ],
)
def test_a_damaged_table_is_an_error_with_file_line_and_remedy(tmp_path: Path, row: str, what: str) -> None:
    state = own_table(tmp_path, ",".join(E3), row)
    with pytest.raises(StateError, match=what) as caught:
        load(state)
    assert f"{FILE_NAME}:3" in caught.value.message
    assert caught.value.code == "catalogue-damaged"
    assert "catalogue update" in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"a,b,c\n", b"\x1f\x8b\xff", b"sku_id,part_number\n"])
def test_a_file_that_is_no_table_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StateError, match=FILE_NAME):
        load(tmp_path)


def test_a_table_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StateError, match="could not be read"):
        load(tmp_path)


def test_a_table_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(StateError, match="cannot be written"):
        save(tmp_path / "state", [E3])


def test_a_search_takes_part_number_id_or_glob_in_any_case() -> None:
    catalogue = built_in()
    assert E3 in catalogue.find("office 365 e3")
    assert E3 in catalogue.find("enterprisep")
    assert catalogue.find(E3.sku_id.upper()) == [E3]
    assert [entry.part_number for entry in catalogue.find("*_FREE")] == ["FLOW_FREE", "TEAMS_FREE"]
    assert catalogue.find("NO_SUCH_SKU") == []


@given(st.text())
def test_cleaned_text_is_one_bounded_printable_line_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert len(cleaned) <= LONGEST
    assert "  " not in cleaned
    assert cleaned == cleaned.strip()
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(categories=["L", "N", "P", "S"])).filter(lambda text: len(text) <= LONGEST))
def test_cleaning_changes_nothing_that_can_be_printed(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (" Office\u00a0365  E3 ", "Office 365 E3"),
        ("one\r\ntwo\u2028three\tfour", "one two three four"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\ufeffzero\u200bwidth\u202eturned\u2066", "zerowidthturned"),
        ("half \ud83d a pair", "half a pair"),
        ("x" * 1000, "x" * LONGEST),
        ("x" * (LONGEST - 1) + " y", "x" * (LONGEST - 1)),
    ],
)
def test_control_and_formatting_characters_are_stripped(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(titles=st.lists(st.text().map(clean).filter(bool), max_size=5))
def test_a_written_table_reads_back_the_same(tmp_path_factory: pytest.TempPathFactory, titles: list[str]) -> None:
    entries = [Entry(f"00000000-0000-0000-0000-{number:012}", title, title) for number, title in enumerate(titles)]
    state = tmp_path_factory.mktemp("state")
    save(state, entries)
    assert load(state) == built_in().overridden_by(entries)
