"""Distinct object IDs are counted, whatever the IDs and however often they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.distinct import Distinct


@given(st.lists(st.lists(st.text(max_size=3))))
def test_distinct_ids_are_as_many_as_a_set_would_hold(batches: list[list[str]]) -> None:
    seen = Distinct()
    for batch in batches:
        seen.add(batch)
    everything = [each for batch in batches for each in batch]
    assert (seen.count, seen.distinct()) == (len(everything), len(set(everything)))
