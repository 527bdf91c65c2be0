"""What was sent in confidence, taken out of text that came back.

Microsoft does not echo a secret, but what stands between may: as it was, written for a URL or for HTML in whole or in
part, or within base64, as HTTP Basic has it.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import parse_qsl

import httpx

_PROOFS = ("client_secret", "client_assertion")
_HEADERS = ("authorization", "proxy-authorization", "x-identity-header")
_SHORTEST = 4
"""Letters below which a value is no secret, and would only tear words apart."""


def masked(text: str, request: httpx.Request) -> str:
    """The text with an ellipsis wherever a secret of the request stands."""
    for secret in _sent(request):
        text = _written(secret).sub("…", text)
    return text


def _sent(request: httpx.Request) -> list[str]:
    """The secrets in a request, longest first: bearer tokens, and the proofs in the sign-in form."""
    form = parse_qsl(request.content.decode("utf-8", "replace")) if request.method == "POST" else []
    values = [value for name, value in form if name in _PROOFS]
    values += [request.headers.get(name, "").rpartition(" ")[2] for name in _HEADERS]
    return sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)


def _written(secret: str) -> re.Pattern[str]:
    """Every way in which a secret may be written, each of its characters by itself."""
    plain = "".join(f"(?:{'|'.join(_ways(character))})" for character in secret)
    return re.compile("|".join([plain, *map(re.escape, _encoded(secret.encode()))]))


def _ways(character: str) -> list[str]:
    percent = "".join(f"%(?i:{byte:02x})" for byte in character.encode())
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
