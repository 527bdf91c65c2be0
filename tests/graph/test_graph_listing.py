"""Reading ahead: what is fetched while a page is in use, in which order it comes out, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier, Event, Lock, active_count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.graph.listing import Listing, Streams, Turn, ahead

SOON = 20.0
"""Seconds within which what must happen happens, on any machine."""


class Broken(Exception):
    """A list that fails."""


def until(condition: Callable[[], bool]) -> bool:
    """Whether something becomes true soon."""
    end = time.monotonic() + SOON
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


class Lists:
    """Lists of pages that are numbered, and what was asked for. ``throttled`` are the pages that had to be waited for.

    ``most`` is how many pages were asked for at the same time.
    """

    def __init__(self, lengths: list[int], throttled: set[tuple[int, int]] | None = None) -> None:
        self._lengths = lengths
        self._throttled = throttled or set()
        self._lock = Lock()
        self._now = 0
        self.most = 0
        self.asked: list[tuple[int, int]] = []

    def all(self) -> list[Listing[tuple[int, int]]]:
        """Every list."""
        return [partial(self._list, number) for number in range(len(self._lengths))]

    @property
    def pages(self) -> set[tuple[int, int]]:
        """Every page."""
        return {(number, page) for number, length in enumerate(self._lengths) for page in range(length)}

    def _list(self, number: int, turn: Turn) -> Iterator[tuple[int, int]]:
        for page in range(self._lengths[number]):
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
                self.asked.append((number, page))
            time.sleep(0.0005)
            with self._lock:
                self._now -= 1
            turn.answered(throttled=(number, page) in self._throttled)
            yield number, page


def test_pages_that_are_read_ahead_come_in_their_order() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))


def test_no_more_than_two_pages_are_read_beside_the_one_in_use() -> None:
    taken: list[int] = []

    def pages() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    reading = ahead(pages())
    for used in range(1, 11):
        next(reading)
        assert until(partial(_has, taken, used + 2))
        time.sleep(0.002)
        assert len(taken) == used + 2
    reading.close()


def _has(taken: list[int], count: int) -> bool:
    return len(taken) == count


def test_a_failure_comes_after_the_pages_before_it() -> None:
    def pages() -> Iterator[int]:
        yield from (1, 2, 3)
        raise Broken

    reading = ahead(pages())
    assert [next(reading) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Broken):
        next(reading)


def test_what_is_no_error_ends_the_reading_too() -> None:
    """``Stopped`` is a BaseException."""

    def pages() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    reading = ahead(pages())
    assert next(reading) == 1
    with pytest.raises(KeyboardInterrupt):
        next(reading)


def test_who_stops_early_leaves_no_thread_that_goes_on_reading() -> None:
    before = active_count()
    lists = Lists([1000, 1000, 1000])
    reading = Streams(3).read(lists.all())
    next(reading)
    reading.close()
    assert until(lambda: active_count() <= before)
    assert len(lists.asked) < 20


def test_who_stops_early_does_not_wait_for_an_answer() -> None:
    answer = Event()

    def pages() -> Iterator[int]:
        yield 1
        answer.wait(SOON)
        yield 2

    reading = ahead(pages())
    assert next(reading) == 1
    started = time.monotonic()
    reading.close()
    assert time.monotonic() - started < SOON / 2
    answer.set()


def test_no_list_is_no_page() -> None:
    assert list(Streams(4).read([])) == []


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), max_size=12),
    streams=st.integers(1, 8),
    throttled=st.sets(st.tuples(st.integers(0, 11), st.integers(0, 5)), max_size=6),
)
def test_every_page_comes_once_and_those_of_one_list_in_their_order(
    lengths: list[int], streams: int, throttled: set[tuple[int, int]]
) -> None:
    lists = Lists(lengths, throttled)
    found = list(Streams(streams).read(lists.all()))
    assert sorted(found) == sorted(lists.pages)
    for number in range(len(lengths)):
        assert [page for own, page in found if own == number] == list(range(lengths[number]))
    assert lists.most <= streams


def test_lists_are_read_at_once() -> None:
    lists = Lists([50] * 8)
    assert len(list(Streams(4).read(lists.all()))) == 400
    assert lists.most == 4


def test_throttling_halves_the_streams_for_the_rest_of_the_read() -> None:
    streams = Streams(8)
    lists = Lists([1] * 7 + [40] * 9, throttled={(7, 3)})
    assert set(streams.read(lists.all())) == lists.pages
    assert streams.allowed == 4
    again = Lists([40] * 8)
    assert set(streams.read(again.all())) == again.pages
    assert again.most == 4


def test_requests_of_the_same_moment_that_are_all_throttled_halve_the_streams_once() -> None:
    together = Barrier(8)

    def pages(turn: Turn) -> Iterator[int]:
        together.wait(SOON)
        turn.answered(throttled=True)
        yield 1

    streams = Streams(8)
    assert len(list(streams.read([pages] * 8))) == 8
    assert streams.allowed == 4


def test_streams_never_fall_below_one() -> None:
    streams = Streams(4)
    lists = Lists([20] * 6, throttled={(number, page) for number in range(6) for page in range(20)})
    assert set(streams.read(lists.all())) == lists.pages
    assert streams.allowed == 1


def test_one_answer_is_unpacked_at_a_time() -> None:
    lock, now, most = Lock(), [0], [0]

    def pages(turn: Turn) -> Iterator[int]:
        for number in range(30):
            turn.answered(throttled=False)
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.0002)
            with lock:
                now[0] -= 1
            yield number

    assert len(list(Streams(6).read([pages] * 6))) == 180
    assert most[0] == 1


def test_a_list_that_fails_ends_all_the_others() -> None:
    def broken(turn: Turn) -> Iterator[tuple[int, int]]:
        turn.answered(throttled=False)
        raise Broken
        yield 0, 0

    lists = Lists([100_000] * 3)
    before = active_count()
    with pytest.raises(Broken):
        list(Streams(4).read([*lists.all(), broken]))
    assert len(lists.asked) < 100_000
    assert until(lambda: active_count() <= before)
