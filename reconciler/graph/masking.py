"""What was sent in confidence, taken out of text that came back.

Microsoft does not echo a secret, but what stands between may: as it was, written for a URL or for HTML in whole or in
part, or within base64, as HTTP Basic has it. The password of a proxy is taken out too, although it does not stand in
the request: a proxy that opens TLS answers in Microsoft's place.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from functools import lru_cache
from html import escape
from urllib.parse import parse_qsl

import httpx

_PROOFS = ("client_secret", "client_assertion")
_HEADERS = ("authorization", "proxy-authorization", "x-identity-header")
_SHORTEST = 4
"""Letters below which a value is no secret, and would only tear words apart."""
_PROXY_LOGIN = "proxy_login"
"""The extension of a request that names what the proxy on its way was told: name and password."""


def note_proxy_login(request: httpx.Request, login: tuple[bytes, bytes]) -> None:
    """Remember with a request the name and the password that a proxy was given for it."""
    request.extensions[_PROXY_LOGIN] = login


def masked(text: str, request: httpx.Request) -> str:
    """The text with an ellipsis wherever a secret of the request stands."""
    for secret in _sent(request):
        text = _written(secret).sub("…", text)
    return text


def _sent(request: httpx.Request) -> list[str]:
    """The secrets in a request, longest first: bearer tokens, the proofs in the sign-in form, a proxy's password."""
    form = parse_qsl(request.content.decode("utf-8", "replace")) if request.method == "POST" else []
    values = [value for name, value in form if name in _PROOFS]
    values += [request.headers.get(name, "").rpartition(" ")[2] for name in _HEADERS]
    values = [value for value in values if len(value) >= _SHORTEST]
    name, password = request.extensions.get(_PROXY_LOGIN, (b"", b""))
    if password:  # however short: people choose it
        values += [password.decode(), b64encode(name + b":" + password).decode()]
    return sorted(set(values), key=len, reverse=True)


@lru_cache(maxsize=16)
def _written(secret: str) -> re.Pattern[str]:
    """Every way in which a secret may be written, each of its characters by itself."""
    plain = "".join(f"(?:{'|'.join(_ways(character))})" for character in secret)
    return re.compile("|".join([plain, *map(re.escape, _encoded(secret.encode()))]))


def _ways(character: str) -> list[str]:
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in character.encode())  # a URL within a URL, encoded twice
    ways = [re.escape(character), percent]
    if escape(character) != character:
        ways.append(re.escape(escape(character)))
    return ways + ([r"\+"] if character == " " else [])


def _encoded(secret: bytes) -> set[str]:
    """What base64 makes of a secret wherever it begins among other bytes, without the signs that neighbors share."""
    found = set()
    for before in range(3):
        first = -(-before * 8 // 6)  # the signs that hold a bit of what stands before
        whole = (before + len(secret)) * 8 // 6  # the signs that hold nothing of what stands behind
        for encode in (b64encode, urlsafe_b64encode):
            found.add(encode(b"\0" * before + secret).decode()[first:whole])
    return {text for text in found if len(text) >= _SHORTEST}
