"""Pseudonyms: the same for the same person under one key, and nothing of the person or the key in them."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from reconciler.pseudonyms import Pseudonyms, is_long_enough
from reconciler.secret import Secret

KEY = b"0123456789abcdef0123456789abcdef"
ONE, OTHER = (Pseudonyms(Secret(key)) for key in (KEY, KEY[::-1]))


def test_a_person_has_one_pseudonym_under_one_key() -> None:
    assert ONE.of("t", "u") == Pseudonyms(Secret(KEY + b"\n")).of("t", "u")
    people = [("t", "u"), ("t", "v"), ("s", "u"), ("t u", ""), ("", "t u")]
    assert len({ONE.of(*who) for who in people[:3]}) == 3


def test_it_is_hmac_sha_256_of_tenant_and_object_id() -> None:
    assert ONE.of("t", "u") == hmac.new(KEY, b"user t u", hashlib.sha256).hexdigest()[:32]


def test_another_key_gives_others_and_another_key_id() -> None:
    assert ONE.of("t", "u") != OTHER.of("t", "u")
    assert ONE.key_id != OTHER.key_id
    assert len(ONE.key_id) == 8
    assert ONE.key_id not in KEY.hex()


@pytest.mark.parametrize(("key", "enough"), [(KEY, True), (KEY[:-1], False), (KEY[:-1] + b"\n\n", False), (b"", False)])
def test_a_key_that_could_be_tried_out_is_too_short(key: bytes, enough: bool) -> None:
    assert is_long_enough(Secret(key)) is enough
