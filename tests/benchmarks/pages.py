"""Pages of users, rendered and compressed once, kept in files, sent as they are.

A page in a file is the compressed middle of an answer. What differs from request to request, the link to the next page
above all, stands before it in a block that is stored and not compressed, so that a request costs the server nearly
nothing. The checksum of both together follows from the two (CRC-32 is linear).

Source: RFC 1951 (DEFLATE blocks), RFC 1952 (gzip).
"""

from __future__ import annotations

import json
import mmap
import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from tests.benchmarks import people, skus
from tests.benchmarks.people import Population, Slice

LEVEL = 6
"""Of compression: zlib's default, as web servers have it."""
PADDED = 4096
"""Pages are filled with blanks to a multiple of so many bytes, so that few lengths occur."""
DELTA_PAGE = 200
"""Most users on a page of ``/users/delta``. Source: Microsoft Q&A 5875141, "page size at most 200"."""

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\x01\x01\x00\xfe\xff}"
"""The last block, stored: the brace that closes the answer."""


@dataclass(frozen=True)
class Piece:
    """``"value":[…]`` of one page: where it is, compressed, and checksum and length of what it stands for."""

    offset: int
    size: int
    crc: int
    length: int
    users: int
    letter: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is true of a population, to check what is made of it. ``users`` are all, ``licensed`` hold something."""

    users: int
    licensed: int
    consumers: dict[str, int]

    @property
    def assignments(self) -> int:
        """Pairs of a user and a SKU that is held."""
        return sum(self.consumers.values())


@dataclass(frozen=True)
class PageSet:
    """A population's list, and what a delta round tells about it to who knew it before its change."""

    facts: Facts
    pages: list[Piece]
    changes: list[Piece]
    content: mmap.mmap | bytes

    def compressed(self, piece: Piece) -> bytes:
        """The bytes of one piece."""
        return self.content[piece.offset : piece.offset + piece.size]


@cache
def page_set(population: Population) -> PageSet:
    """The pages of a population: from the files of an earlier call, or made now."""
    stem = _folder() / _key(population)
    index = stem.with_suffix(".json")
    if not index.exists():
        _render(population, stem)
    stored = json.loads(index.read_text())
    with stem.with_suffix(".pages").open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    pages, changes = ([Piece(**piece) for piece in stored[name]] for name in ("pages", "changes"))
    return PageSet(Facts(**stored["facts"]), pages, changes, content)


def facts(population: Population) -> Facts:
    """What is true of a population whose pages exist."""
    return Facts(**json.loads((_folder() / _key(population)).with_suffix(".json").read_text())["facts"])


def gzipped(head: bytes, page_set: PageSet, piece: Piece) -> bytes:
    """The body of an answer: ``head``, which opens the object and ends with a comma, then the piece."""
    crc = zlib.crc32(b"}", _shifted(zlib.crc32(head), piece.length) ^ piece.crc)
    size = len(head).to_bytes(2, "little")
    stored = b"\x00" + size + bytes(byte ^ 0xFF for byte in size) + head
    length = len(head) + piece.length + 1
    trailer = crc.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join((_GZIP_HEADER, stored, page_set.compressed(piece), _END, trailer))


def nothing() -> tuple[PageSet, Piece]:
    """A page without users."""
    content, crc, length = _compressed([])
    return PageSet(Facts(0, 0, {}), [], [], content), Piece(0, len(content), crc, length, 0)


def _shifted(crc: int, length: int) -> int:
    """The share of a text's CRC-32 in that of the text with ``length`` more bytes."""
    result = 0
    for bit, column in enumerate(_columns(length)):
        if crc >> bit & 1:
            result ^= column
    return result


@cache
def _columns(length: int) -> list[int]:
    """What each bit of a checksum becomes after ``length`` bytes of zero."""
    zeros = bytes(length)
    base = zlib.crc32(zeros)
    return [zlib.crc32(zeros, 1 << bit) ^ base for bit in range(32)]


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"reconciler-benchmarks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _key(population: Population) -> str:
    """A name for the files, another one when the code that makes them is another."""
    digest = blake2b(repr(population).encode(), digest_size=12)
    for module in (__file__, people.__file__, skus.__file__):
        digest.update(Path(module).read_bytes())
    return digest.hexdigest()


def _render(population: Population, stem: Path) -> None:
    """Make the files of a population, on all cores; the index last, because it says that they are complete."""
    pages: list[Piece] = []
    changes: list[Piece] = []
    consumers: Counter[str] = Counter()
    pending: list[str] = []
    licensed, offset = 0, 0
    draft = stem.with_suffix(f".{os.getpid()}")
    with draft.open("wb") as file, ProcessPoolExecutor() as pool:

        def add(pieces: list[Piece], compressed: tuple[bytes, int, int], users: int, letter: str | None) -> None:
            nonlocal offset
            content, crc, length = compressed
            pieces.append(Piece(offset, len(content), crc, length, users, letter))
            offset += file.write(content)

        work = people.slices(population)
        for page in pool.map(_page, [population] * len(work), work, chunksize=4):
            add(pages, page.compressed, page.users, page.letter)
            consumers.update(page.consumers)
            licensed += page.licensed
            pending += page.changes
        for start in range(0, len(pending), DELTA_PAGE):
            told = pending[start : start + DELTA_PAGE]
            add(changes, _compressed(told), len(told), None)
    found = Facts(population.size, licensed, dict(sorted(consumers.items())))
    draft.replace(stem.with_suffix(".pages"))
    rows = {"facts": asdict(found), "pages": [asdict(p) for p in pages], "changes": [asdict(p) for p in changes]}
    draft.write_text(json.dumps(rows))
    draft.replace(stem.with_suffix(".json"))


@dataclass(frozen=True)
class _Page:
    """What one worker makes of one page."""

    compressed: tuple[bytes, int, int]
    users: int
    letter: str | None
    licensed: int
    consumers: Counter[str]
    changes: list[str]


def _page(population: Population, page: Slice) -> _Page:
    found = list(people.people(population, page))
    profiles = Counter(person.profile for person in found)
    consumers: Counter[str] = Counter()
    for profile, users in profiles.items():
        consumers.update(dict.fromkeys(skus.held(profile), users))
    licensed = sum(users for profile, users in profiles.items() if skus.held(profile))
    changes = [text for person in found if person.is_changed for text in _told(person)]
    return _Page(_compressed([person.json for person in found]), len(found), page.letter, licensed, consumers, changes)


def _told(person: people.Person) -> Iterator[str]:
    if person.removed:
        yield person.removed
    yield person.json


def _compressed(values: list[str]) -> tuple[bytes, int, int]:
    """DEFLATE blocks that something can follow; checksum and length of what they stand for."""
    text = f'"value":[{",".join(values)}]'.encode()
    text += b" " * (-len(text) % PADDED)
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH), zlib.crc32(text), len(text)
