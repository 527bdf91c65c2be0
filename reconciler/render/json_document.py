"""A document as JSON for people and programs: indented, with no character that a terminal acts on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reconciler.render.escape import json_text


def json_document(document: object, default: Callable[[Any], object] | None = None) -> str:
    """The text of a file, keys in the order that they have. ``default`` makes JSON of what is none, as in ``json``."""
    return json_text(json.dumps(document, indent=2, ensure_ascii=False, default=default)) + "\n"
