"""Reading ahead: the next pages are fetched while the present one is stored, of one list or of several at once.

Requests are made by threads of their own, pages come out of one iterator. One page waits there, and one is unpacked;
the other threads wait for their turn with an answer as it came, so memory does not grow with a list. A failure comes
out after the pages before it. Who stops early leaves the threads behind: they end when their answer comes, and what it
says is dropped.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import copy_context
from threading import Condition, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class Turn:
    """What whoever reads a list tells with each answer. This one lets everybody go on."""

    def answered(self, *, throttled: bool) -> None:
        """An answer is there, ``throttled`` when the server first refused the request as one too many.

        Returns when it may be unpacked.
        """


EVERYBODY = Turn()

Listing = Callable[[Turn], Iterator[T]]
"""Begins a list."""


class Streams:
    """How many requests may be under way at once: ``most`` at first, half of it whenever the server throttles."""

    def __init__(self, most: int) -> None:
        self.allowed = most

    def read(self, lists: Iterable[Listing[T]]) -> Generator[T, None, None]:
        """What all the lists bring. Those of one list keep their order. Raises what the first list to fail raises."""
        reading = _Reading(self, lists)
        try:
            yield from reading.start()
        finally:
            reading.stop()

    def throttled(self, allowed: int) -> None:
        """The server throttled a request that was sent when so many were allowed."""
        if allowed == self.allowed > 1:
            self.allowed = allowed // 2
            log.info("throttled: reading on with %d streams", self.allowed)


def ahead(pages: Iterator[T]) -> Generator[T, None, None]:
    """The same pages, each fetched while the one before it is in use."""
    return Streams(1).read([lambda _: pages])


class _Reading(Generic[T]):
    """Lists, the threads that read them, and the pages that are ready. Everything here is under one lock."""

    def __init__(self, streams: Streams, lists: Iterable[Listing[T]]) -> None:
        self._streams = streams
        self._changed = Condition()
        self._lists = deque(_List(self, begin) for begin in lists)
        self._ready: deque[T] = deque()
        self._unpacking: _List[T] | None = None
        self._threads = 0
        self._failure: BaseException | None = None
        self._stopped = False

    def start(self) -> Iterator[T]:
        """Start the threads, and give what they bring."""
        self._threads = min(self._streams.allowed, len(self._lists))
        for _ in range(self._threads):
            # each with the context of whoever reads: the log says which portal it is
            Thread(target=copy_context().run, args=(self._run,), name="stream", daemon=True).start()
        while self._is_ready():
            yield self._next()
        if self._failure is not None:
            raise self._failure

    def _is_ready(self) -> bool:
        """Wait until there is a page, or nobody who could bring one."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or not self._threads or self._failure)
            return bool(self._ready)

    def _next(self) -> T:
        with self._changed:
            self._changed.notify_all()
            return self._ready.popleft()

    def stop(self) -> None:
        """Nobody wants anything any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def unpack(self, each: _List[T], allowed: int, *, throttled: bool) -> None:
        """Wait until this list may unpack an answer that was asked for when so many streams were allowed."""
        with self._changed:
            if throttled:
                self._streams.throttled(allowed)
            self._changed.wait_for(lambda: self._stopped or self._unpacking is None)
            self._unpacking = each

    def _run(self) -> None:
        """One thread: read one list after the other."""
        try:
            while (each := self._take()) is not None:
                while self._hand_over(each, each.next_page(self._streams.allowed)):
                    pass
        except BaseException as failure:  # it is raised where the pages are used
            with self._changed:
                self._failure = self._failure or failure
                self._leave()

    def _take(self) -> _List[T] | None:
        """The next list, or None when there is none for this thread: then it must end."""
        with self._changed:
            if self._lists and not self._is_superfluous():
                return self._lists.popleft()
            self._leave()
            return None

    def _hand_over(self, each: _List[T], page: T | None) -> bool:
        """Make a page ready. Says whether to go on with its list; a thread that is one too many leaves it to others."""
        with self._changed:
            if page is not None:
                self._changed.wait_for(lambda: self._stopped or not self._ready)
                self._ready.append(page)
            if self._unpacking is each:
                self._unpacking = None
            self._changed.notify_all()
            if page is None:
                return False
            if self._is_superfluous():
                self._lists.appendleft(each)
                return False
            return True

    def _is_superfluous(self) -> bool:
        return self._stopped or self._failure is not None or self._threads > self._streams.allowed

    def _leave(self) -> None:
        self._threads -= 1
        self._changed.notify_all()


class _List(Turn, Generic[T]):
    """A list that is being read. It may go from one thread to another between two pages."""

    def __init__(self, reading: _Reading[T], begin: Listing[T]) -> None:
        self._reading = reading
        self._pages = begin(self)
        self._allowed = 0

    def next_page(self, allowed: int) -> T | None:
        """The next page, asked for while so many streams are allowed; None at the end."""
        self._allowed = allowed
        return next(self._pages, None)

    def answered(self, *, throttled: bool) -> None:
        """Wait for this list's turn."""
        self._reading.unpack(self, self._allowed, throttled=throttled)
