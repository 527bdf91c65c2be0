"""Text for XML 1.0, which has characters that cannot stand in it at all, not even escaped."""

from __future__ import annotations

import re

from reconciler.render.escape import plain

_IMPOSSIBLE = re.compile("[\ufffe\uffff]")


def xml_text(text: str) -> str:
    """Text that XML can hold: ``escape.plain``, and the two noncharacters that it leaves as they are, replaced."""
    return _IMPOSSIBLE.sub("\ufffd", plain(text))
