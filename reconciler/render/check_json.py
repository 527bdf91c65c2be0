"""A check for programs. Its schema is ``schemas/check.schema.json``."""

from __future__ import annotations

from typing import Any

from reconciler.check_page import At, CheckedPolicy, CheckPage
from reconciler.policies import Violation
from reconciler.render.json_document import json_document

FORMAT_VERSION = 1


def render(page: CheckPage) -> str:
    """The document's text: keys in a fixed order, policies in that of reconcile.yaml."""
    document = {
        "format_version": FORMAT_VERSION,
        "emulated": page.emulated,
        "fails": page.fails,
        "policies": [_policy(policy) for policy in page.policies],
    }
    return json_document(document)


def _policy(item: CheckedPolicy) -> dict[str, Any]:
    """One policy: what it asks for, and what violates it."""
    policy = item.verdict.policy
    return {
        "rule": policy.rule.value,
        "severity": policy.severity,
        "portal": policy.portal,
        "sku": policy.sku,
        "percent": policy.percent,
        "days": policy.days,
        "licenses": policy.licenses,
        "at": _at(item.at),
        "judged": item.verdict.judged,
        "violations": [_violation(violation, at) for violation, at in item.violations],
    }


def _violation(violation: Violation, at: At) -> dict[str, Any]:
    """One violation."""
    return {
        "portal": violation.portal_id,
        "sku_id": violation.sku_id,
        "subject": violation.subject,
        "message": violation.message,
        "remedy": violation.remedy,
        "at": _at(at),
    }


def _at(at: At) -> dict[str, Any]:
    """Where something stands."""
    return {"file": at.file, "line": at.line, "column": at.column}
