"""Canonical text: the same value makes the same bytes, on one line for every program that reads it."""

from __future__ import annotations

import json
import re
from typing import Any

_MISLEADING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What some programs take for the end of a line, or for an order to show text the other way round."""


def line(value: Any) -> str:
    """A JSON value on one line, keys sorted."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(", ", ": "))
    return _MISLEADING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
