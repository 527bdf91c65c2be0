"""Snapshots that are files of the kind they hold, so that a reader sees them as a user would."""

from __future__ import annotations

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class MarkdownFile(SingleFileSnapshotExtension):
    """One ``.md`` file per snapshot."""

    _write_mode = WriteMode.TEXT
    file_extension = "md"


class TextFile(SingleFileSnapshotExtension):
    """One ``.txt`` file per snapshot."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


class JsonFile(SingleFileSnapshotExtension):
    """One ``.json`` file per snapshot."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"
