"""The rooms of the house: who may import what, and how a module must look."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import click
import pytest

import reconciler
from reconciler.cli.main import COMMANDS

PACKAGE = Path(reconciler.__file__).parent

PURE = frozenset(
    {
        "__future__",
        "array",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fnmatch",
        "functools",
        "hashlib",
    }
    | {"hmac", "itertools", "re", "string", "typing", "unicodedata"}
)
"""What the core may import of the standard library: nothing that reads a file, a clock, chance or the environment."""

OUTSIDE_THE_CORE = {
    "reconcile": "the loop: it puts network, state and files together",
    "importing": "reads one tenant",
    "reading": "reads tenants in threads",
    "report_files": "writes the reports",
    "resources": "finds the files that ship with the product",
    "__main__": "runs the command line",
}
"""Modules at the top of the package that are not of the core, and why. Every other one is."""

ROOMS = {
    "click": {"cli"},
    "httpx": {"graph"},
    "msal": {"graph"},
    "truststore": {"graph"},
    "sqlite3": {"store"},
    "sqlite_utils": {"store"},
    "yaml": {"config"},
    "jsonschema": {"config"},
    "ruamel": {"config"},
    "rich": {"cli", "render"},
    "msgspec": {"graph", "store"},
    "cryptography": {"graph", "certificates"},
    "azure": {"graph"},
    "jinja2": {"render"},
    "markupsafe": {"render"},
    "xlsxwriter": {"render"},
}
"""Where a package may be imported. The emulator may import anything, because nothing of the product stands on it."""

HEAVY = (
    "msal",
    "httpx",
    "sqlite_utils",
    "jsonschema",
    "yaml",
    "rich",
    "ruamel",
    "msgspec",
    "cryptography",
    "truststore",
    "azure",
    "jinja2",
    "xlsxwriter",
)
"""What start-up must not wait for."""

LONG: dict[str, str] = {}
"""Modules above the cap, and why."""

CAP = 350


@dataclass(frozen=True)
class Import:
    """One imported module. ``when``: with the importing module, only for types, or when a function runs."""

    name: str
    when: Literal["import", "types", "call"]

    @property
    def package(self) -> str:
        """The distribution or standard module that it belongs to."""
        return self.name.split(".")[0]


@dataclass(frozen=True)
class Module:
    """One module of the package. ``name`` is relative to the package, ``room`` its first part."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The subpackage, or the module's own name at the top."""
        return self.name.split(".")[0]

    @property
    def is_core(self) -> bool:
        """Whether the module is of the pure core."""
        if self.room in ("model", "error_catalogue"):
            return True
        return "." not in self.name and not (PACKAGE / self.name).is_dir() and self.name not in OUTSIDE_THE_CORE

    @property
    def imports(self) -> list[Import]:
        """Everything that it imports, wherever it stands."""
        return list(_imports(self.tree, "import"))

    def names(self, chosen: Callable[[Import], bool]) -> list[str]:
        """The names of some of its imports."""
        return [one.name for one in self.imports if chosen(one)]


def _imports(node: ast.AST, when: Literal["import", "types", "call"]) -> Iterator[Import]:
    """The imports below one node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, when) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports name their module in full"
            assert child.module
            inside = child.module == "reconciler" or (PACKAGE.parent / child.module.replace(".", "/")).is_dir()
            names = [f"{child.module}.{alias.name}" for alias in child.names] if inside else [child.module]
            yield from (Import(name, when) for name in names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, "call")
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from _imports(child, "types")
        else:
            yield from _imports(child, when)


def _module(path: Path) -> Module:
    """The module in one file."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return Module(".".join(parts).removesuffix(".__init__"), path.read_text(encoding="utf-8"))


MODULES = [_module(path) for path in sorted(PACKAGE.rglob("*.py"))]
CORE = [module for module in MODULES if module.is_core and module.name != "__init__"]
RENDER = [module for module in MODULES if module.room == "render"]


def test_the_core_is_where_it_is_thought_to_be() -> None:
    assert {
        "model.declared",
        "model.known",
        "errors",
        "matching",
        "compliance",
        "findings",
        "transition",
        "diff",
        "plan",
        "safety",
    } <= {module.name for module in CORE}
    assert {module.name for module in MODULES} >= set(OUTSIDE_THE_CORE)


def test_imports_are_found_wherever_they_stand() -> None:
    source = """
import os
from collections.abc import Iterator
from reconciler import safety
from reconciler.cli import main
from reconciler.model import Portal
if TYPE_CHECKING:
    import httpx
def f():
    if True:
        import msal.exceptions
class C:
    import click
"""
    assert Module("m", source).imports == [
        Import("os", "import"),
        Import("collections.abc", "import"),
        Import("reconciler.safety", "import"),
        Import("reconciler.cli.main", "import"),
        Import("reconciler.model.Portal", "import"),
        Import("httpx", "types"),
        Import("msal.exceptions", "call"),
        Import("click", "import"),
    ]


def found(modules: Iterable[Module], look: Callable[[Module], Iterable[str]]) -> dict[str, list[str]]:
    """What ``look`` finds in each module, where it finds anything."""
    return {module.name: names for module in modules if (names := sorted(look(module)))}


def inside(name: str, modules: set[str]) -> bool:
    """Whether an import is of one of these modules, or of a name that a package of the core hands on."""
    return name in modules or name.rpartition(".")[0] in ("reconciler.model", "reconciler.error_catalogue")


def test_the_core_imports_the_core_and_pure_standard_modules_only() -> None:
    core = {f"reconciler.{other.name}" for other in CORE}
    assert (
        found(CORE, lambda module: module.names(lambda one: one.package not in PURE and not inside(one.name, core)))
        == {}
    )


def test_renderers_import_the_core_and_nothing_that_acts() -> None:
    own = {f"reconciler.{other.name}" for other in (*CORE, *RENDER)} | {"reconciler.config.problems"}
    allowed = PURE | {"base64", "csv", "hashlib", "io", "jinja2", "json", "markupsafe", "rich", "textwrap"}
    allowed |= {"xlsxwriter", "xml"}
    assert found(RENDER, lambda one: one.names(lambda i: i.package not in allowed and not inside(i.name, own))) == {}


def test_the_core_and_renderers_read_no_clock_and_no_file() -> None:
    def impure(module: Module) -> Iterator[str]:
        for node in ast.walk(module.tree):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in ("open", "print", "input", "eval", "exec", "__import__"):
                yield name
            if name.rpartition(".")[2] in ("now", "utcnow", "today", "fromtimestamp"):
                yield name

    assert found([*CORE, *RENDER], impure) == {}
    assert list(impure(Module("m", "date.today()\nopen('x')"))) == ["date.today", "open"]


def test_a_package_is_imported_in_its_room_only() -> None:
    def strange(module: Module) -> list[str]:
        return module.names(lambda one: module.room not in ROOMS.get(one.package, {module.room}))

    assert found([module for module in MODULES if module.room != "emulator"], strange) == {}
    assert strange(Module("plan", "import click")) == ["click"]
    assert strange(Module("cli.session", "import httpx")) == ["httpx"]


def test_only_what_the_project_depends_on_is_imported() -> None:
    known = {*ROOMS, "reconciler", "jwt", "trustme", *sys.stdlib_module_names}
    assert found(MODULES, lambda module: module.names(lambda i: i.package not in known and i.when != "types")) == {}


def test_nothing_but_commands_and_the_emulator_itself_imports_the_emulator() -> None:
    others = [module for module in MODULES if module.room not in ("cli", "emulator")]
    assert found(others, lambda module: module.names(lambda one: one.name.startswith("reconciler.emulator"))) == {}


def test_nothing_but_commands_imports_a_command() -> None:
    others = [module for module in MODULES if module.room != "cli" and module.name != "__main__"]
    assert found(others, lambda module: module.names(lambda one: one.name.startswith("reconciler.cli"))) == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [module.name for module in MODULES if not ast.get_docstring(module.tree)] == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [module.name for module in MODULES if drawers & set(module.name.split("."))] == []


def test_no_module_is_too_long_to_be_read() -> None:
    long = {module.name: module.text.count("\n") for module in MODULES if module.text.count("\n") > CAP}
    assert long.keys() == LONG.keys(), long


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_table_of_commands_has_their_own_names(name: str) -> None:
    module, line = COMMANDS[name]
    command = import_module(module).command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help
    assert line.endswith(".")


def test_every_command_is_in_the_table() -> None:
    defining = {
        f"reconciler.{module.name}"
        for module in MODULES
        if module.room == "cli"
        and any(isinstance(node, ast.FunctionDef) and node.name == "command" for node in module.tree.body)
    }
    assert defining == {module for module, _ in COMMANDS.values()}


def loaded_by(program: str) -> set[str]:
    """The heavy packages that a program has loaded at its end."""
    source = f"import json, sys\n{program}\nprint(json.dumps(sorted({HEAVY!r} & sys.modules.keys())))".replace(
        repr(HEAVY), repr(set(HEAVY))
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by("from reconciler.cli.main import main\nassert main(['--help']) == 0") == set()


def test_a_command_module_loads_nothing_heavy() -> None:
    names = [module for module, _ in COMMANDS.values()]
    assert loaded_by(f"from importlib import import_module\nfor name in {names!r}: import_module(name)") == set()


def test_the_measure_of_loading_sees_what_is_loaded() -> None:
    assert loaded_by("import reconciler.store.ledger, yaml") == {"msgspec", "yaml"}
