"""Pseudonyms of consumers: the same person has the same one in every export, and only who has the key can tell who.

HMAC-SHA-256 (RFC 2104) over tenant and object ID. Pseudonyms are still personal data: who has the key, or learns one
person's, knows more. Another key gives others, which nobody can bring together with the former.
"""

from __future__ import annotations

import hmac

from reconciler.secret import Secret

KEY_BYTES = 32
"""The least length of a key: with a short one, pseudonyms could be turned back by trying."""

_LENGTH = 32
"""Hexadecimal digits of a pseudonym: 128 bits, so that no two persons ever share one."""

_KEY_ID_LENGTH = 8


class Pseudonyms:
    """Pseudonyms under one key. ``key_id`` tells keys apart and says nothing of them."""

    def __init__(self, key: Secret) -> None:
        self._key = key
        self.key_id = self._mac("key id")[:_KEY_ID_LENGTH]

    def of(self, tenant_id: str, object_id: str) -> str:
        """The pseudonym of one user of one tenant."""
        return self._mac(f"user {tenant_id} {object_id}")[:_LENGTH]

    def _mac(self, text: str) -> str:
        """The code of a text, in hexadecimal."""
        return hmac.new(self._key.reveal().strip(), text.encode(), "sha256").hexdigest()


def is_long_enough(key: Secret) -> bool:
    """Whether a key can be used."""
    return len(key.reveal().strip()) >= KEY_BYTES
