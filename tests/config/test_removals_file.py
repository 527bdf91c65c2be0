"""Adding entries to ``removals.yaml`` without touching what stands there."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config import schema
from reconciler.config.removals import removals
from reconciler.config.removals_file import MODELINE, rendered, with_entries
from reconciler.config.yaml_source import read
from reconciler.model import Removal

NEW = Removal("contoso", "FLOW_FREE", "Trial has ended")
ADDED = 'portal: contoso\n{0}sku: FLOW_FREE\n{0}reason: "Trial has ended"\n'


def entries(text: str) -> tuple[Removal, ...]:
    """What a file says, which must be valid."""
    source = read(text.encode(), "removals.yaml")
    assert source.problems == ()
    assert schema.problems(source, "removals") == []
    return removals(source)


def test_a_new_file_names_its_schema() -> None:
    assert rendered([NEW]) == f"{MODELINE}removals:\n  - {ADDED.format('    ')}"


KEPT = """\
# Agreed on in the license board.

removals:

- portal: old   # sold in May
  sku: "*"
  # the contract has ended
  reason: 'Sold: "all of it"'

- {portal: contoso, sku: A_B, reason: gone, ticket: "42"}
"""


def test_comments_quotes_and_blank_lines_stay() -> None:
    assert with_entries(KEPT, [NEW]) == f"{KEPT}- {ADDED.format('  ')}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"removals:\n  - {ADDED.format('    ')}"),
        ("# nothing yet\n", f"# nothing yet\nremovals:\n  - {ADDED.format('    ')}"),
        ("removals: []\n", f"removals:\n  - {ADDED.format('    ')}"),
        (
            "removals:\n    - portal: a\n      sku: B\n      reason: r\n",
            f"removals:\n    - portal: a\n      sku: B\n      reason: r\n    - {ADDED.format('      ')}",
        ),
        (
            "removals: [{portal: a, sku: B, reason: r}] # in one line\n",
            "removals: [{portal: a, sku: B, reason: r}, {portal: contoso, sku: FLOW_FREE, "
            'reason: "Trial has ended"}] # in one line\n',
        ),
    ],
    ids=["empty", "comment", "empty list", "deeper", "flow"],
)
def test_entries_take_the_style_of_the_file(text: str, expected: str) -> None:
    assert with_entries(text, [NEW]) == expected


def test_an_entry_for_the_same_portal_and_sku_is_replaced_where_it_stands() -> None:
    again = [Removal("old", "*", "Sold again"), Removal("contoso", "a_b", "Gone again", "43")]
    assert with_entries(KEPT, again) == KEPT.replace("""'Sold: "all of it"'""", '"Sold again"').replace(
        'sku: A_B, reason: gone, ticket: "42"', 'sku: a_b, reason: "Gone again", ticket: "43"'
    )


def test_line_ends_of_windows_stay() -> None:
    windows = KEPT.replace("\n", "\r\n")
    assert with_entries(windows, [NEW]) == with_entries(KEPT, [NEW]).replace("\n", "\r\n")


lines = (
    st.text(string.printable.replace("\t\n\r\x0b\x0c", "") + "äß…✕#:'\"{}[]&*!|>%@`", min_size=1, max_size=40)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
skus = st.sampled_from(["FLOW_FREE", "*", "42", "1e5", "NO", "null", "f30db892-07e9-47e9-837c-80727f46fd3d", "A.B-C"])
added = st.builds(
    Removal,
    st.sampled_from(["contoso", "1", "1e5", "null", "true", "0.5", "a-b"]),
    skus,
    lines,
    st.none() | lines,
)


def key(item: Removal) -> tuple[str, str]:
    """What may stand in a file once."""
    return item.portal, item.sku.casefold()


@given(
    st.lists(added, min_size=1, max_size=4, unique_by=key), st.lists(added, max_size=3, unique_by=key), st.booleans()
)
def test_what_is_added_reads_back_behind_what_was_there(new: list[Removal], old: list[Removal], kept: bool) -> None:
    before = rendered(old) if old else KEPT if kept else ""
    former = entries(before) if before else ()
    assert by_key(entries(with_entries(before, new))) == by_key((*former, *new))


def by_key(found: tuple[Removal, ...]) -> dict[tuple[str, str], Removal]:
    """Entries by what may stand in a file once; of several the last counts."""
    return {key(item): item for item in found}
