"""Delta queries: who changed since a link was taken. An import of a large tenant needs a few pages then.

A round counts only when it comes to its end, which is the next link. Graph may tell a user twice, in any order of
pages, and tell again what it told before: per user, the later answer counts.

Source: Microsoft Graph documentation, "Use delta query to track changes in Microsoft Graph data", "user: delta".
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from reconciler.errors import (
    FailureNotDeserialized,
    PortalError,
    ReportedError,
    SuccessNotDeserialized,
    UntrustedAnswer,
)
from reconciler.graph import rows
from reconciler.graph.answers import is_refusal
from reconciler.graph.pages import Pager
from reconciler.graph.wire import AssignedLicense, Page, Person, User
from reconciler.incremental import FullReadNeeded
from reconciler.model import ChangedPage

log = logging.getLogger(__name__)


class Change(Person):
    """An element of ``/users/delta``: a user as in a list, but for what was never set, or the note of a removal."""

    assigned_licenses: tuple[AssignedLicense, ...] | None = None
    removed: Any = msgspec.field(name="@removed", default=None)


class DeltaPage(Page[Change]):
    """One page of a round. The last one has ``delta_link`` in place of ``next_link``."""

    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


def latest(pager: Pager, selected: str) -> str | None:
    """The link behind which changes from now on are told, or None where Graph refuses delta queries.

    It refuses them in B2C and external tenants. ``selected`` are the properties that are tracked. Raises PortalError
    when Graph cannot be reached.
    """
    link = None
    try:
        for page in pager.pages(f"/users/delta?$select={selected}&$deltatoken=latest", _PAGE):
            link = page.delta_link
        if link is not None:
            pager.refuse_elsewhere(link)
    except (ReportedError, SuccessNotDeserialized, FailureNotDeserialized, UntrustedAnswer) as error:
        log.info("%s: no changes are told, all users are read each time: %s", pager.host, error.code)
        return None
    return link


def changes(pager: Pager, link: str) -> Iterator[ChangedPage]:
    """The round behind a link, page by page, the next link on the last one.

    Raises FullReadNeeded when Graph refuses the round or answers it with nonsense; PortalError when it could not be
    read to its end, so that it can be read again.
    """
    try:
        for page in pager.pages(link, _PAGE):
            if page.delta_link is not None:
                pager.refuse_elsewhere(page.delta_link)
            yield changed_page(page)
    except PortalError as error:
        if _is_over(error):
            raise FullReadNeeded(f"Graph does not go on from the last read ({error.code})") from None
        raise


def changed_page(page: DeltaPage) -> ChangedPage:
    """What a page says of each user; of several answers about one, the last.

    An answer that does not say what a user holds takes back none that does: then there are both.
    """
    told = {change.id.lower(): change for change in page.value}
    clear = {
        change.id.lower(): change
        for change in page.value
        if change.removed is not None or change.assigned_licenses is not None
    }
    known = [change for id_, change in clear.items() if change.removed is None and told[id_].removed is None]
    present = rows.user_page([_user(change) for change in known])
    holders = {contact.object_id for contact in present.contacts}
    unclear = {id_ for id_, change in told.items() if change.removed is None and change.assigned_licenses is None}
    gone = told.keys() - holders - unclear
    end = None if page.next_link else page.delta_link
    return ChangedPage(replace(present, received=len(page.value)), tuple(sorted(gone)), tuple(sorted(unclear)), end)


def _user(change: Change) -> User:
    """A changed user as a list would tell it."""
    members = msgspec.structs.asdict(change)
    del members["removed"]
    return User(**members)


def _is_over(error: PortalError) -> bool:
    """Whether reading the same round again cannot help: Graph dropped the token, or does not tell changes any more.

    A dropped token is a 410 or a 400 to 404, with codes and texts that have changed over the years.
    """
    if isinstance(error, SuccessNotDeserialized | FailureNotDeserialized | UntrustedAnswer):
        return True  # a 410 may come without a body; a link that leads elsewhere would do so again
    return isinstance(error, ReportedError) and is_refusal(error)


_PAGE = msgspec.json.Decoder(DeltaPage)
