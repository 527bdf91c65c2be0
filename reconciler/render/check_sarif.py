"""A check as SARIF 2.1.0 (OASIS), which GitHub and editors show beside the lines."""

from __future__ import annotations

from typing import Any

from reconciler.check_page import At, CheckedPolicy, CheckPage
from reconciler.labels import EMULATED_NOTICE
from reconciler.model import PolicyRule
from reconciler.policies import MEANINGS, Violation
from reconciler.render.check_text import named, said
from reconciler.render.escape import plain
from reconciler.render.json_document import json_document

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RULES = list(PolicyRule)
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
"""What stands for itself in the path of a URI (RFC 3986)."""


def render(page: CheckPage, version: str) -> str:
    """The document's text. ``version`` is that of the tool."""
    driver = {
        "name": "reconcile check",
        "semanticVersion": version,
        "rules": [_rule(rule) for rule in _RULES],
    }
    results = [_result(page, policy, violation, at) for _, policy, violation, at in page.findings]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"emulated": page.emulated},
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_document(document)


def _rule(rule: PolicyRule) -> dict[str, Any]:
    """One rule, whether a policy asks for it or not."""
    return {"id": rule.value, "shortDescription": {"text": MEANINGS[rule]}}


def _result(page: CheckPage, policy: CheckedPolicy, violation: Violation, at: At) -> dict[str, Any]:
    """One violation, with the policy's own lines beside those behind it.

    Who shows results shows the message of each and little else: so each says that its numbers are emulated. The
    fingerprint tells one violation from another over time, whatever line it moves to.
    """
    rule = policy.verdict.policy.rule
    about = violation.sku_id or violation.subject
    fingerprint = plain(f"{named(policy.verdict.policy)}|{violation.portal_id or ''}|{about}")
    notice = f" {EMULATED_NOTICE}" if page.emulated else ""
    return {
        "ruleId": rule.value,
        "ruleIndex": _RULES.index(rule),
        "level": policy.verdict.policy.severity,
        "message": {"text": f"{said(violation)} {plain(violation.remedy)}{notice}"},
        "locations": [_location(page.at_top(at))],
        "relatedLocations": [
            {**_location(page.at_top(policy.at)), "message": {"text": f"The policy: {named(policy.verdict.policy)}"}}
        ],
        "partialFingerprints": {"violation/v1": fingerprint},
    }


def _location(at: At) -> dict[str, Any]:
    """A place, from the top of the repository."""
    uri = "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in at.file.encode("utf-8", "surrogatepass"))
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": at.line, "startColumn": at.column},
        }
    }
