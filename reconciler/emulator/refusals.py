"""How Entra refuses: its errors, and the checks that every signed request goes through, whoever signed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
"""What Entra lets an assertion be signed with. EC keys are not among it."""

CLOCK_SKEW = 300
"""Seconds by which the clocks may differ."""

REVIEW = "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."


class EntraError(Exception):
    """A refusal of Entra's: the OAuth error, the number of the AADSTS code, and the text after it."""

    def __init__(self, error: str, code: int, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """HTTP status: a client that fails to prove itself gets 401, any other mistake 400."""
        return 401 if self.error == "invalid_client" else 400


def check_time(claims: Mapping[str, Any], now: float) -> None:
    """Refuse an assertion before or after its time. ``exp`` must be there."""
    # MSAL sends fractions of a second, and no nbf at all.
    begin, end = float(claims.get("nbf", 0)), float(claims["exp"])
    if not begin - CLOCK_SKEW <= now <= end + CLOCK_SKEW:
        raise EntraError(
            "invalid_client",
            700024,
            f"Client assertion is not within its valid time range. Current time: {_moment(now)}, assertion valid from "
            f"{_moment(begin)}, expiry time of assertion {_moment(end)}. {REVIEW}",
        )


def _moment(timestamp: float) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
