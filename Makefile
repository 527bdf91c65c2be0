# Two commands do everything on a machine with Python 3.11, git and make:
#   make demo   install, then run the main job against the built-in emulator
#   make test   install, then lint, types and all tests

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types unit docs bench clean

demo: .venv/installed
	$(BIN)/reconcile --emulate demo apply

test: lint types unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

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
RANGES ?=
SDK ?=
bench: .venv/installed
	$(BIN)/python -m tests.benchmarks $(CASES) --scale $(SCALE) --rounds $(ROUNDS) --ranges='$(RANGES)' --sdk='$(SDK)' \
		$(if $(CASES)$(filter-out 1,$(SCALE)),,--page docs/performance.md)

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv dist
