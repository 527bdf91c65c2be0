"""Which portal files were renamed: the tenant and the client stay, the file's stem changes."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model import Portal, Presence, State


def renamed(desired: Mapping[str, Portal], actual: State) -> dict[str, str]:
    """New id to old id, for files that were renamed: same tenant and client, and no other candidate.

    A portal that was deleted before is a candidate only where no other is: it may also come back under a new name. The
    new id may be that of a portal that is forgotten; ``plan.py`` refuses it.
    """
    orphans: dict[tuple[str, str], list[str]] = {}
    for deleted in (False, True):
        found: dict[tuple[str, str], list[str]] = {}
        for portal_id, state in actual.items():
            if portal_id not in desired and not state.is_forgotten and (state.presence is Presence.DELETED) is deleted:
                found.setdefault(_connection(state.portal), []).append(portal_id)
        orphans = {**found, **orphans}
    arrivals: dict[tuple[str, str], list[str]] = {}
    for portal_id, portal in desired.items():
        known = actual.get(portal_id)
        if known is None or (known.is_forgotten and _connection(known.portal) != _connection(portal)):
            arrivals.setdefault(_connection(portal), []).append(portal_id)
    return {
        new[0]: orphans[key][0] for key, new in arrivals.items() if len(new) == 1 and len(orphans.get(key, ())) == 1
    }


def _connection(portal: Portal) -> tuple[str, str]:
    """What a portal is recognized by when its id is another one."""
    return portal.tenant_id, portal.client_id
