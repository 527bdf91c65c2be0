"""Where the files that ship with the product are: schemas and demo portals.

In a checkout they stand at the top of the repository; in an installed wheel under ``reconciler/data``.
"""

from __future__ import annotations

from pathlib import Path


def folder(name: str) -> Path:
    """The shipped folder ``schemas`` or ``portals.d``."""
    packaged = Path(__file__).parent / "data" / name
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / name
