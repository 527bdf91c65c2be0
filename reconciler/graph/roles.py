"""The permissions that a token names, read without verifying it: Graph decides, this only explains and spares calls."""

from __future__ import annotations

SIGN_INS_READ = "AuditLog.Read.All"
"""The application permission to read when users last signed in. Optional."""


def granted(token: str) -> frozenset[str] | None:
    """The ``roles`` of a token; None when it is unreadable."""
    import jwt

    try:
        roles = jwt.decode(token, options={"verify_signature": False}).get("roles", [])
    except jwt.InvalidTokenError:
        return None
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else None
