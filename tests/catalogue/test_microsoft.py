"""Reading Microsoft's own list: its quirks are tolerated, anything that is not this list is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.catalogue.microsoft import FEWEST, parse
from reconciler.catalogue.titles import Catalogue, Entry, built_in
from reconciler.errors import ConfigurationError
from tests.catalogue.microsoft_list import COLUMNS, Name, fillers, guid, microsoft_list

SKU = guid(777)
NOTHING = Catalogue({})


def entry_of(content: bytes, preferred: Catalogue = NOTHING) -> Entry:
    """What a file says about the SKU that the tests look at."""
    return {entry.sku_id: entry for entry in parse(content, preferred)}[SKU]


def test_each_sku_is_listed_once_however_many_service_plans_it_has() -> None:
    entries = parse(microsoft_list(plans=3), NOTHING)
    assert len(entries) == len(fillers())
    assert entries[7] == Entry(guid(7), "PRODUCT_7", "Product 7")


def test_entries_are_sorted_by_sku_id() -> None:
    entries = parse(microsoft_list(others=fillers()[::-1]), NOTHING)
    assert list(entries) == sorted(entries)


@pytest.mark.parametrize(
    "name",
    [
        ("Office 365 E9", "E9", SKU.upper()),
        ("\u00a0Office\u00a0365  E9 ", "E9\u00a0", f" {SKU} "),
        ("Office 365\x00 E9\u200b", " E9", SKU),
    ],
)
def test_case_blanks_and_control_characters_are_normalised(name: Name) -> None:
    assert entry_of(microsoft_list([name])) == Entry(SKU, "E9", "Office 365 E9")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_byte_order_mark_may_be_missing(encoding: str) -> None:
    content = microsoft_list([("Office 365 E9 – new", "E9", SKU)], encoding=encoding)
    assert entry_of(content).title == "Office 365 E9 – new"


def test_a_line_in_windows_1252_is_read_as_that_and_the_others_as_utf_8() -> None:
    content = microsoft_list([("Office – plan", "A", guid(778)), ("Office – plan", "E9", SKU)], plans=1)
    dash = "–".encode()
    at = content.rindex(dash)
    mixed = content[:at] + "–".encode("cp1252") + content[at + len(dash) :]
    assert {entry.title for entry in parse(mixed, NOTHING) if "plan" in entry.title} == {"Office – plan"}


def test_columns_may_be_added_and_change_places() -> None:
    content = microsoft_list([("Office 365 E9", "E9", SKU)], columns=["Added", *COLUMNS[::-1], "Later"])
    assert entry_of(content) == Entry(SKU, "E9", "Office 365 E9")


def test_of_several_names_the_one_already_in_use_wins() -> None:
    names = [("Zebra", "E9", SKU), ("Office 365 E9", "E9", SKU), ("Antelope", "E9", SKU)]
    preferred = Catalogue({SKU: Entry(SKU, "E9", "Office 365 E9")})
    assert entry_of(microsoft_list(names), preferred).title == "Office 365 E9"


def test_copilot_studio_keeps_its_present_name_beside_its_old_one() -> None:
    sku_id = "606b54a9-78d8-4298-ad8b-df6ef4481c80"
    names = [
        ("Microsoft Copilot Studio Viral Trial", "CCIBOTS_PRIVPREV_VIRAL", sku_id),
        ("Power Virtual Agents Viral Trial", "CCIBOTS_PRIVPREV_VIRAL", sku_id),
    ]
    entries = {entry.sku_id: entry for entry in parse(microsoft_list(names), built_in())}
    assert entries[sku_id].title == "Microsoft Copilot Studio Viral Trial"


@given(st.permutations([("Alpha", "E9", SKU), ("Beta", "E9_OLD", SKU), ("Beta", "E9", SKU), ("Al", "Z", SKU)]))
def test_the_order_of_rows_never_decides_a_name(names: list[Name]) -> None:
    assert entry_of(microsoft_list(names)) == Entry(SKU, "E9_OLD", "Beta")


def test_a_name_not_among_the_files_own_is_never_taken_from_the_built_in_table() -> None:
    preferred = Catalogue({SKU: Entry(SKU, "E9", "A former name")})
    assert entry_of(microsoft_list([("Office 365 E9", "E9", SKU)]), preferred).title == "Office 365 E9"


@pytest.mark.parametrize("name", [("", "E9", SKU), ("Office 365 E9", "E9", "none"), ("", "", "")])
def test_rows_that_name_no_sku_are_passed_over(name: Name) -> None:
    assert parse(microsoft_list([name]), NOTHING) == parse(microsoft_list(), NOTHING)


def test_empty_lines_are_passed_over() -> None:
    assert len(parse(microsoft_list() + b"\r\n,,,,,\r\n\r\n", NOTHING)) == len(fillers())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no column GUID, String_Id, Product_Display_Name"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>BlobNotFound</Code></Error>', "web page"),
        (b"\x00\x01\x02\xff" * 100, "no column"),
        (microsoft_list(encoding="utf-16"), "no column"),
        (microsoft_list(columns=[name for name in COLUMNS if name != "GUID"]), "no column GUID"),
        (microsoft_list(columns=[name for name in COLUMNS if name != "String_Id"]), "no column String_Id"),
        (microsoft_list(others=[]), "lists 0 SKUs"),
        (microsoft_list(others=fillers(FEWEST - 1)), f"lists {FEWEST - 1} SKUs"),
        (microsoft_list() + b"Office 365 E9,E9", "line 122 ends too early"),
        (microsoft_list() + b'"' + b"x" * 200_000, "not CSV"),
    ],
)
def test_anything_but_the_whole_list_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        parse(content, NOTHING)
    assert caught.value.code == "catalogue-unreadable"
    assert "--from FILE" in caught.value.remedy


def test_the_fewest_skus_that_make_a_list_are_enough() -> None:
    assert len(parse(microsoft_list(others=fillers(FEWEST)), NOTHING)) == FEWEST
