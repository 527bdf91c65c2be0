"""What ``docs/errors.md`` shows, from the catalogue; and every error that the code makes, to compare the two."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from reconciler import errors
from reconciler.config.explanations import PROBLEMS
from reconciler.error_catalogue.entra import ENTRA
from reconciler.error_catalogue.explanation import UNKNOWN, Explanation
from reconciler.error_catalogue.graph import GRAPH, TRANSPORT
from reconciler.error_catalogue.local import CONFIGURATION, MACHINE
from reconciler.error_catalogue.own import PORTAL, TEST
from reconciler.error_catalogue.state import SAFETY, STATE
from reconciler.errors import ReconcileError
from tests.docs.docs_pages import ROOT

SECTIONS: dict[str, tuple[Explanation, ...]] = {
    "connection": TRANSPORT,
    "portal": PORTAL,
    "entra": ENTRA,
    "graph": GRAPH,
    "test": TEST,
    "safety": SAFETY,
    "state": STATE,
    "configuration": CONFIGURATION,
    "machine": MACHINE,
}
"""The rows of the page, by the name of the generated region."""


@dataclass(frozen=True, order=True)
class Raised:
    """An error as the code makes it somewhere; ``message`` and ``remedy`` are None when the catalogue gives them."""

    code: str
    message: str | None
    remedy: str | None
    module: str


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "&#124;") for cell in line) + " |\n" for line in lines)


def errors_of(rows: Sequence[Explanation]) -> str:
    """Each row under a heading of its own, so that it can be linked to."""
    return "\n".join(_entry(row) for row in rows)


def errors_in(section: str) -> str:
    """A generated region of the page. Raises KeyError for a section that does not exist."""
    return errors_of(SECTIONS[section])


def configuration_problems() -> str:
    """Every code of ``reconcile validate``."""
    rows = [(f"`{row.code}`", row.when, row.remedy) for row in PROBLEMS.values()]
    return table(("Code", "What happened", "What to do"), rows)


def _entry(row: Explanation) -> str:
    parts = [f"### `{row.code}`", f"> {row.message}", f"**When.** {row.when}", f"**What to do.** {row.remedy}"]
    if row.example:
        parts.append(f"**Example.** `{row.example}`")
    if row.cases:
        cases = [(case.message, case.when, case.remedy) for case in row.cases]
        parts.append(table(("If it says", "When", "What to do"), cases).rstrip())
    return "\n\n".join(parts) + "\n"


def classes() -> Iterator[type[ReconcileError]]:
    """The exception tree below its root."""
    waiting = [ReconcileError]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        yield from (kind for kind in children if kind.__module__.startswith("reconciler."))


def raised() -> Iterator[Raised]:
    """Every error with a literal code that the package makes."""
    for file in sorted((ROOT / "reconciler").rglob("*.py")):
        relative = file.relative_to(ROOT).with_suffix("")
        module = importlib.import_module(".".join(relative.parts).removesuffix(".__init__"))
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _errors(node, module, tree)


def _errors(call: ast.Call, module: ModuleType, tree: ast.Module) -> Iterator[Raised]:
    """The errors that a call makes: ``Kind(message, code=…, remedy=…)`` or ``ErrorInfo(code, message, remedy)``."""
    called = call.func.id if isinstance(call.func, ast.Name) else None
    kind = getattr(module, called, getattr(errors, called, None)) if called else None
    named = {word.arg: word.value for word in call.keywords if word.arg}
    if isinstance(kind, type) and issubclass(kind, ReconcileError) and "code" in named:
        message = _words(call.args[0], module) if call.args else None
        remedy = _words(named["remedy"], module) if "remedy" in named else None
        yield from (Raised(code, message, remedy, module.__name__) for code in _codes(named["code"], tree))
    if called in ("ErrorInfo", "_held") and call.args:
        remedy = _words(call.args[2], module) if len(call.args) > 2 else str(module._held("", "").remedy)
        message = _words(call.args[1], module)
        yield from (Raised(code, message, remedy, module.__name__) for code in _codes(call.args[0], tree))


def _codes(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The codes that an argument can be: itself, or all that the module assigns to the name."""
    if isinstance(node, ast.Name):
        for other in ast.walk(tree):
            if isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == node.id:
                yield from _codes(other.value, tree)
    elif isinstance(node, ast.IfExp):
        yield from (*_codes(node.body, tree), *_codes(node.orelse, tree))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


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
