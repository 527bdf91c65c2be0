"""What was sent in confidence does not come back in any text, however it is written."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.graph.masking import masked

SECRET = "ab/8Q~c+d&e<f=ghijklmnop0123456789"


def sign_in(secret: str = SECRET) -> httpx.Request:
    return httpx.Request("POST", "https://login.example/token", data={"client_id": "app", "client_secret": secret})


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        re.sub("%..", lambda match: match[0].lower(), quote(SECRET, safe="")),
        escape(SECRET),
        quote(quote(SECRET, safe=""), safe=""),
        b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode(),
        b64encode(f"app:{SECRET}".encode()).decode(),
        b64encode(f"x{SECRET}y".encode()).decode(),
        b64encode(f"xy{SECRET}".encode()).decode(),
    ],
)
def test_a_secret_is_masked_in_every_way_of_writing(written: str) -> None:
    text = masked(f"You sent {written} to us.", sign_in())
    assert "…" in text
    assert text.startswith("You sent ")
    assert text.endswith(" to us.")
    for part in (SECRET[4:16], quote(SECRET)[4:16], b64encode(SECRET.encode()).decode()[8:20]):
        assert part not in text


@pytest.mark.parametrize("name", ["Authorization", "Proxy-Authorization", "X-IDENTITY-HEADER"])
def test_bearers_in_headers_are_masked(name: str) -> None:
    value = f"Bearer {SECRET}" if name != "X-IDENTITY-HEADER" else SECRET
    request = httpx.Request("GET", "https://graph.example/", headers={name: value})
    assert masked(f"no {SECRET} here", request) == "no … here"


def test_what_is_no_secret_stays() -> None:
    assert masked("application app was not found", sign_in()) == "application app was not found"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=12), st.binary(max_size=5))
def test_no_secret_survives_base64_wherever_it_begins(secret: str, before: bytes) -> None:
    encoded = b64encode(before + secret.encode()).decode()
    core = encoded[-(-len(before) * 8 // 6) : (len(before) + len(secret.encode())) * 8 // 6]
    assert core not in masked(encoded, sign_in(secret))
