# Shortcuts for developers; the README's commands need none of this.
PYTHON ?= python3
BIN := .venv/bin

.venv: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch .venv

.PHONY: fmt lint types test docs check bench
fmt: .venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
lint: .venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
types: .venv
	$(BIN)/mypy
test: .venv
	$(BIN)/python -m pytest
docs: .venv
	$(BIN)/python tools/cli_page.py
	$(BIN)/python tools/scale_page.py
	$(BIN)/mkdocs build --strict --quiet
check: lint types test docs
bench: .venv
	@echo "see benchmarks/README.md: python benchmarks/build_wiki.py DUMP.xml.bz2 --work DIR"
