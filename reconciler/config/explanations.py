"""The problems of YAML files in the form of the catalogue of errors, with general advice on each.

The hint that `reconcile validate` prints with a problem is more exact, because it knows the place.
"""

from __future__ import annotations

from reconciler.config.problems import CODES
from reconciler.error_catalogue.explanation import About, Explanation, Source

_ADVICE = {
    "unreadable-file": "Check that it is a file, and its permissions.",
    "too-large": "A portal needs a few KiB. Check what was committed.",
    "not-utf-8": "Save the file as UTF-8.",
    "byte-order-mark": "Save the file as UTF-8 without BOM.",
    "control-character": "Delete the character at that place.",
    "tab-indentation": "Indent with spaces.",
    "yaml-syntax": "Look at that line and the one before it; put text with `:` or `#` in quotes.",
    "empty-file": "Declare the portal, or delete the file.",
    "multiple-documents": "Delete `---`; write one file per portal.",
    "duplicate-key": "Keep one of them.",
    "key-not-text": "Put text with brackets in quotes.",
    "anchor-or-alias": "Write the value out; put text that starts with `&` or `*` in quotes.",
    "merge-key": "Write the keys out.",
    "tag": "Delete it; put text that starts with `!` in quotes.",
    "too-deep": "Put text with brackets in quotes.",
    "unknown-key": "Take the key that the hint names, or delete it.",
    "missing-key": "Add the key.",
    "misplaced-key": "Delete it, or change `authentication.type`.",
    "wrong-type": "The message says what is expected; text that looks like a number needs quotes.",
    "unknown-value": "Take one of the values that the message lists.",
    "out-of-range": "The message says the limit.",
    "too-long": "The message says the limit.",
    "not-a-guid": "Copy the ID from the app registration's overview page.",
    "placeholder-guid": "Replace the zeros with the real ID.",
    "not-a-date": "Write a day that exists as YYYY-MM-DD.",
    "not-an-amount": 'Write a decimal number in quotes, such as `"34.40"`.',
    "not-a-currency": "Write three capital letters, such as EUR.",
    "bad-name": "One line of text, without blanks at its ends.",
    "bad-text": "One line of text, and not blank.",
    "bad-sku": "Write a part number or a SKU ID; `reconcile catalogue show` lists them.",
    "bad-directory": "Write folders joined by `/`, such as `Office/Suites`.",
    "bad-reference": "Write `{env: NAME}`, `{file: PATH}` or `{keyvault: {vault: NAME, secret: NAME}}`.",
    "file-outside": "Name a file inside the repository, or an absolute path.",
    "literal-secret": "Take the value out, renew the secret (git keeps what was committed), and write a reference.",
    "stray-file": "Move it out of `portals.d`, or rename it to end in `.yaml`.",
    "bad-id": "Rename the file: at most 63 of `a-z 0-9 . _ -`, beginning with a letter or digit. In a removal, write "
    "the file's name without `.yaml`.",
    "reserved-id": "Rename the file.",
    "duplicate-name": "Give each portal its own name.",
    "duplicate-exclusion": "Keep one of them.",
    "duplicate-include": "Keep one of them.",
    "contradictory-include": "Delete one of them: a portal's own exclusion always counts.",
    "duplicate-product": "Keep one of them.",
    "mixed-currencies": "Write all prices of a portal in one currency, so that they can be summed up.",
    "duplicate-overlap": "Keep one of them.",
    "circular-overlap": "Keep the pair whose `sku` is the larger license.",
    "contradictory-thresholds": "`urgent_renewal_days` is at most `renewal_days`.",
    "duplicate-removal": "Keep one of them.",
    "keyvault-not-configured": "Add `keyvault` with tenant_id, client_id and authentication to reconcile.yaml.",
    "same-tenant": "A warning: products of that tenant count twice. Keep one portal, or leave it.",
    "ended-exclusion": "A warning: the license is imported again. Delete the entry, or give it a later last day.",
    "ended-suspension": "A warning: the portal is imported again. Delete the entry, or give it a later last day.",
    "unmatched-exclusion": "A warning: it keeps nothing out. Check the spelling, or delete it.",
    "unmatched-include": "A warning: it lifts nothing. Check the spelling, or delete it.",
    "unmatched-product": "A warning: it applies to nothing. Check the spelling, or delete it.",
    "unmatched-unmetered": "A warning: it applies to nothing. Check the spelling, or delete it.",
    "unmatched-policy": "A warning: it judges nothing. Check the spelling, or delete it.",
    "unmatched-overlap": "A warning: it applies to nobody. Check the spelling, or delete it.",
    "ambiguous-product": "A warning: the entitlement counts for none of them. Name the SKU ID.",
}
"""What to do about each problem."""

PROBLEMS = {
    code: Explanation(code, f"FILE:LINE:COLUMN: {code} …", when, _ADVICE[code], Source.OURS, About.CONFIGURATION)
    for code, when in CODES.items()
}
"""Every problem that a file can have, by its code."""
