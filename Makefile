# Two commands do everything on a machine with Python 3.11, git and make:
#   make demo   install, then run the main job against the built-in emulator
#   make test   install, then lint, types and all tests

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types verify pythons unit docs bench clean

# One of the four tenants cannot be read, as happens: apply ends with 4 then, see docs/reference/exit-codes.md.
demo: .venv/installed
	$(BIN)/reconcile --emulate demo apply || test $$? -eq 4

test: lint types verify pythons unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

# The reports of this very repository are those of its ledger.
verify: .venv/installed
	$(BIN)/reconcile verify

# An environment for each other version of Python on this machine, in which the tests play the scenarios again.
pythons: .venv/pythons/made

.venv/pythons/made: .venv/installed tests/scenarios/pythons.py
	$(BIN)/python -m tests.scenarios.pythons
	mkdir -p $(@D) && touch $@

# An odd time zone and a random hash seed: nothing may depend on either.
unit: .venv/installed
	TZ=Asia/Kathmandu PYTHONHASHSEED=random $(BIN)/pytest -n auto

# Write the generated parts of README and docs again.
docs: .venv/installed
	$(BIN)/python -m tests.docs.generate

# Measure against the bare loop; CASES="first-20k start" runs some, SCALE=0.05 smaller ones in less than a minute. Only a
# run of everything at full size becomes the table of docs/performance.md.
CASES ?=
SCALE ?= 1
ROUNDS ?= 3
SDK ?=
bench: .venv/installed
	$(BIN)/python -m tests.benchmarks $(CASES) --scale $(SCALE) --rounds $(ROUNDS) --sdk='$(SDK)' \
		$(if $(CASES)$(filter-out 1,$(SCALE)),,--page docs/performance.md)

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv dist
