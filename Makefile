# Two commands do everything on a machine with Python 3.11, git and make:
#   make demo   install, then run the main job against the built-in emulator
#   make test   install, then lint, types and all tests

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types unit docs clean

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

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv dist
