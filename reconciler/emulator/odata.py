"""Query options the way Graph's directory reads them, and page tokens.

What is checked here is what an ordinary mock lets through: unknown properties, sizes out of range, filters that need
the header ``ConsistencyLevel: eventual``, page tokens that were changed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.emulator.directory import User
from reconciler.emulator.message import Request

DEFAULT_PAGE = 100
"""Users on a page when the request names no size."""

LARGEST_PAGE = 999

LARGEST_PAGE_OF_SIGN_INS = 500
"""Users on a page at most when their sign-ins are selected; who asks for more gets that many."""

KNOWN = frozenset({"select", "top", "filter", "count", "orderby", "search", "expand", "skip", "skiptoken", "format"})

_HOLDS_ANY = re.compile(r"assignedLicenses/\$count\s+(eq|ne)\s+0", re.I)
_HOLDS_SKU = re.compile(
    r"assignedLicenses/any\(\s*(\w+)\s*:\s*\1/skuId\s+eq\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*\)", re.I
)
_STARTS_WITH = re.compile(r"startswith\(\s*userPrincipalName\s*,\s*'((?:[^']|'')*)'\s*\)", re.I)


class GraphError(Exception):
    """A refusal of Graph's: HTTP status, code and message of the body, additional headers."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def unsupported(message: str) -> GraphError:
    """The refusal of a query that the resource cannot answer."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def not_emulated(what: str) -> GraphError:
    """Graph has it and the emulator does not. Graph never answers this code."""
    return GraphError(501, "NotEmulated", f"The emulator does not imitate {what}.")


@dataclass(frozen=True)
class Filter:
    """A ``$filter`` that is understood. ``pages`` says whether it may go on to a second page as things are."""

    matches: Callable[[User], bool]
    pages: bool = True


@dataclass(frozen=True)
class Options:
    """The system query options of a request, without their ``$``."""

    values: Mapping[str, str]
    eventual: bool

    @classmethod
    def of(cls, request: Request) -> Options:
        """Read them; an unknown one is refused, a parameter without ``$`` is ignored."""
        values: dict[str, str] = {}
        for name, value in request.parameters():
            if not name.startswith("$"):
                continue
            if name[1:] not in KNOWN:
                raise GraphError(400, "BadRequest", f"The query parameter '{name}' is not supported.")
            if name[1:] in values:
                raise GraphError(
                    400,
                    "BadRequest",
                    f"Query option '{name}' was specified more than once, but it must be specified at most once.",
                )
            values[name[1:]] = value
        return cls(values, request.headers.get("consistencylevel", "").lower() == "eventual")

    @property
    def counts(self) -> bool:
        """Whether ``$count=true`` was asked for and may be answered; without the header it is ignored."""
        return self.eventual and self.values.get("count", "").lower() == "true"

    def only(self, *allowed: str) -> None:
        """Refuse every option but these."""
        for name in self.values:
            if name in allowed or name == "format":
                continue
            raise unsupported(f"The query option '${name}' is not supported by this resource.")

    def select(self, type_name: str, properties: Collection[str]) -> tuple[str, ...] | None:
        """The selected properties, or None without ``$select``."""
        if "select" not in self.values:
            return None
        names = tuple(dict.fromkeys(name.strip() for name in self.values["select"].split(",")))
        for name in names:
            if name not in properties:
                raise GraphError(
                    400,
                    "BadRequest",
                    "Parsing OData Select and Expand failed: "
                    f"Could not find a property named '{name}' on type '{type_name}'.",
                )
        return names

    def top(self) -> int:
        """The page size."""
        text = self.values.get("top")
        if text is None:
            return DEFAULT_PAGE
        if not re.fullmatch(r"-?\d+", text):
            raise GraphError(400, "BadRequest", f"Invalid value '{text}' for $top query option found.")
        size = int(text)
        if not 1 <= size <= LARGEST_PAGE:
            raise unsupported(f"Invalid page size specified: '{size}'. Must be between 1 and 999 inclusive.")
        return size

    def filter(self) -> Filter | None:
        """The filter, if any. Only those over ``assignedLicenses`` and the start of the principal name are imitated."""
        text = self.values.get("filter")
        if text is None:
            return None
        if found := _HOLDS_ANY.fullmatch(text.strip()):
            if not self.counts:
                operator = "NotEqualsMatch" if found[1].lower() == "ne" else "EqualsMatch"
                raise unsupported(f"Filter operator '{operator}' is not supported.")
            wanted = found[1].lower() == "ne"
            return Filter(lambda user: bool(user.held) is wanted)
        if found := _HOLDS_SKU.fullmatch(text.strip()):
            sku_id = found[2].lower()
            return Filter(lambda user: sku_id in user.held, pages=self.counts)
        if found := _STARTS_WITH.fullmatch(text.strip()):
            start = found[1].replace("''", "'").casefold()
            return Filter(lambda user: user.user_principal_name.casefold().startswith(start))
        name = re.split(r"[/\s(]", text.strip(), maxsplit=1)[0]
        if text.strip().lower().startswith("assignedlicenses/any"):
            raise unsupported(
                f"Unsupported or invalid query filter clause specified for property '{name}' of resource 'User'."
            )
        raise not_emulated(f"the filter {text!r}")


class PageTokens:
    """Makes and reads ``$skiptoken``: opaque to clients, bound to the tenant and to the query it came with."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def make(self, tenant_id: str, request: Request, number: int, start: int) -> str:
        """The token of page ``number``, which begins at index ``start``."""
        text = f"{number}.{start}"
        raw = f"{text}.{self._seal(tenant_id, request, text)}"
        # Graph's own begin like this.
        return "RFNwdA" + base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    def read(self, tenant_id: str, request: Request, token: str) -> tuple[int, int]:
        """Number and start of the page that a token stands for."""
        text, _, seal = _open(token).rpartition(".")
        if not text or not hmac.compare_digest(seal, self._seal(tenant_id, request, text)):
            raise GraphError(400, "Request_BadRequest", "The page token is not valid.")
        number, _, start = text.partition(".")
        return int(number), int(start)

    def _seal(self, tenant_id: str, request: Request, text: str) -> str:
        bound = "\n".join([tenant_id, request.path, link_query(request), text])
        return hmac.new(self._key, bound.encode(), "sha256").hexdigest()[:32]


def page_number(request: Request) -> int:
    """Which page of a listing a request asks for, as its token says; for telling faults apart."""
    token = dict(request.parameters()).get("$skiptoken")
    number = _open(token).partition(".")[0] if token else ""
    return int(number) if number.isdecimal() else 1


def link_query(request: Request) -> str:
    """The options that a nextLink repeats, encoded."""
    kept = ((name, value) for name, value in request.parameters() if name != "$skiptoken")
    return "&".join(f"{quote(name, safe='$')}={quote(value, safe='$,/:()')}" for name, value in kept)


def _open(token: str) -> str:
    try:
        padded = token.removeprefix("RFNwdA") + "=" * (-len(token.removeprefix("RFNwdA")) % 4)
        return base64.urlsafe_b64decode(padded).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
