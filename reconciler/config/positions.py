"""Where the things that people declare stand, so that a plan, a warning or an explanation can point there."""

from __future__ import annotations

from reconciler.config.loader import Desired
from reconciler.config.source import Place, Source
from reconciler.model import Exclusion, ProductEntry


class Positions:
    """Where each part of a desired state stands. An ``index`` counts from 0, in the order of the file.

    All of it is about portals and settings that are declared: anything else is a KeyError or ValueError.
    """

    def __init__(self, desired: Desired) -> None:
        self._desired = desired

    def portal(self, portal_id: str) -> Place:
        """The beginning of a portal's file."""
        return self._desired.sources[portal_id].place()

    def exclusion(self, portal_id: str, index: int, *member: str) -> Place:
        """An exclusion of a portal, or one member of it."""
        return self._desired.sources[portal_id].place("exclusions", index, *member)

    def repository_exclusion(self, index: int, *member: str) -> Place:
        """An exclusion of the settings, or one member of it."""
        return self._settings.place("exclusions", index, *member)

    def inclusion(self, portal_id: str, index: int, *member: str) -> Place:
        """What a portal includes, or one member of it."""
        return self._desired.sources[portal_id].place("include", index, *member)

    def product(self, portal_id: str, index: int, *member: str) -> Place:
        """The entry of a product, or one member of it."""
        return self._desired.sources[portal_id].place("products", index, *member)

    def suspension(self, portal_id: str, *member: str) -> Place:
        """The pause of a portal, or one member of it."""
        return self._desired.sources[portal_id].place("suspend", *member)

    def overlap(self, index: int, *member: str) -> Place:
        """A pair of SKUs in the settings, or one member of it."""
        return self._settings.place("overlaps", index, *member)

    def unmetered(self, index: int) -> Place:
        """An entry of ``unmetered`` in the settings."""
        return self._settings.place("unmetered", index)

    def rule(self, portal_id: str, exclusion: Exclusion) -> Place:
        """The exclusion that counts for a license of a portal, as ``matching.rule_of`` finds it."""
        own = self._desired.portals[portal_id].exclusions
        if exclusion in own:
            return self.exclusion(portal_id, own.index(exclusion))
        return self.repository_exclusion(self._desired.settings.exclusions.index(exclusion))

    def entry(self, portal_id: str, entry: ProductEntry) -> Place:
        """An entry of a license of a portal, as ``matching.entries_of`` finds it."""
        return self.product(portal_id, self._desired.portals[portal_id].products.index(entry))

    @property
    def _settings(self) -> Source:
        if self._desired.settings_source is None:
            raise KeyError("settings")
        return self._desired.settings_source
