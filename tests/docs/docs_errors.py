"""The tables of ``docs/reference/errors.md``, read from the code: its classes, its raise sites, its tables of codes."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from reconciler import errors
from reconciler.config.problems import CODES
from reconciler.errors import PortalError, ReconcileError
from reconciler.graph import remedies
from tests.docs.docs_pages import ROOT

UNKNOWN = "…"
"""Stands in a message for what only a run knows."""

CONFIGURATION_ADVICE = {
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
    "bad-reference": "Write `{env: NAME}` or `{file: PATH}`.",
    "literal-secret": "Take the value out, renew the secret (git keeps what was committed), and write a reference.",
    "not-supported-yet": "Use what the hint names.",
    "stray-file": "Move it out of `portals.d`, or rename it to end in `.yaml`.",
    "bad-id": "Rename the file: at most 63 of `a-z 0-9 . _ -`, beginning with a letter or digit.",
    "reserved-id": "Rename the file.",
    "duplicate-name": "Give each portal its own name.",
    "duplicate-exclusion": "Keep one of them.",
    "duplicate-product": "Keep one of them.",
    "same-tenant": "A warning: products of that tenant count twice. Keep one portal, or leave it.",
}
"""What to do about each problem of the configuration. The hint that is printed with a problem is more exact."""


@dataclass(frozen=True, order=True)
class Raised:
    """An error as the code raises it somewhere."""

    code: str
    message: str
    remedy: str


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "&#124;") for cell in line) + " |\n" for line in lines)


def named_errors() -> str:
    """The classes of ``errors.py`` whose message is fixed: the six of the original among them."""
    rows = [
        (f"`{kind.code}`", kind.message, kind.remedy)
        for kind in _descendants(PortalError)
        if kind.__module__ == errors.__name__ and "message" in vars(kind)
    ]
    return table(("Code", "Message", "What to do"), rows)


def raised_errors(*folders: str) -> str:
    """Everything that the modules below these folders raise with a code of its own."""
    found = {raised for folder in folders for raised in _raised(ROOT / "reconciler" / folder)}
    told = {raised for raised in found if UNKNOWN not in (raised.message, raised.remedy)}
    told |= {raised for raised in found if raised.code not in {other.code for other in told}}
    rows = [
        (
            f"`{raised.code}`",
            raised.message.replace(UNKNOWN + ".", UNKNOWN),
            raised.remedy.replace(UNKNOWN + ".", UNKNOWN),
        )
        for raised in sorted(told)
    ]
    return table(("Code", "Message", "What to do"), rows)


def configuration_problems() -> str:
    """Every code of ``reconcile validate``. Raises KeyError for a code without advice."""
    rows = [(f"`{code}`", meaning, CONFIGURATION_ADVICE[code]) for code, meaning in CODES.items()]
    return table(("Code", "What happened", "What to do"), rows)


def reported_errors(of: str) -> str:
    """The codes of Entra or Graph that have a remedy of their own."""
    known: Mapping[str, str] = {"entra": remedies._ENTRA, "graph": remedies._GRAPH}[of]
    return table(("Code", "What to do"), [(f"`{code}`", remedy) for code, remedy in known.items()])


def _descendants(kind: type[ReconcileError]) -> Iterator[type[ReconcileError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _raised(path: Path) -> Iterator[Raised]:
    """Every error with a literal code in a module, or in the modules of a folder."""
    files = [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else sorted(path.rglob("*.py"))
    for file in files:
        relative = file.relative_to(ROOT).with_suffix("")
        module = importlib.import_module(".".join(relative.parts).removesuffix(".__init__"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (raised := _error(node, module)):
                yield raised


def _error(call: ast.Call, module: ModuleType) -> Raised | None:
    """The error that a call makes: ``Kind(message, code=…, remedy=…)`` or ``ErrorInfo(code, message, remedy)``."""
    called = call.func.id if isinstance(call.func, ast.Name) else None
    kind = getattr(module, called, getattr(errors, called, None)) if called else None
    named = {word.arg: word.value for word in call.keywords if word.arg}
    if isinstance(kind, type) and issubclass(kind, ReconcileError) and "code" in named:
        if not isinstance(named["code"], ast.Constant):
            return None
        message = _words(call.args[0], module) if call.args else kind.message
        remedy = _words(named["remedy"], module) if "remedy" in named else kind.remedy
        message = "The message names the file and what is wrong with it." if message == UNKNOWN else message
        return Raised(str(named["code"].value), message, remedy)
    if called in ("ErrorInfo", "_held") and isinstance(call.args[0], ast.Constant):
        message = _words(call.args[1], module)
        remedy = _words(call.args[2], module) if len(call.args) > 2 else _held_remedy(module)
        return Raised(str(call.args[0].value), message, remedy)
    return None


def _held_remedy(module: ModuleType) -> str:
    """The remedy that all held observations share."""
    made: str = module._held("", "").remedy
    return made


def _words(node: ast.expr, module: ModuleType) -> str:
    """A message as far as it is known without a run."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part, module) for part in node.values)
    expression = node.value if isinstance(node, ast.FormattedValue) else node
    try:
        value = eval(compile(ast.Expression(expression), "<message>", "eval"), vars(module))
    except (NameError, AttributeError):
        return UNKNOWN
    return value if isinstance(value, str) else str(value)


def all_codes() -> set[str]:
    """Every code that a user can meet, Entra's and Graph's own aside."""
    classes = {kind.code for kind in _descendants(ReconcileError) if "message" in vars(kind)}
    return classes | {raised.code for raised in _raised(ROOT / "reconciler")} | set(CODES)
