# Everything a contributor runs. `make check` runs what .ci/run runs after README's two commands,
# without the slow tests.
SHELL := /bin/bash
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)
REPORTER ?=
# A worker for each core; `tests/conftest.py` says what one runs as a whole.
SIDE_BY_SIDE = -n auto --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help install check lint types contracts test slow golden docs bench clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */\1\t/' \
		| while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

install: ## make .venv, with tcpsnoop (editable) and the test extra; again after a new entry point
	test -x .venv/bin/python || python3 -m venv .venv
	.venv/bin/python -m pip install --editable '.[test]'

check: lint types contracts test ## lint, types, contracts and tests: what must pass before a change goes in

lint: ## ruff: format and rules
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types: ## mypy, strict
	$(PYTHON) -m mypy

contracts: ## import contracts of setup.cfg
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as run; run()' --no-logo

test: ## tests, but for the slow ones
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) -m "not slow and not alone"
	$(PYTHON) -m pytest tests/live -m alone

slow: ## the slow tests alone
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) -m slow

golden: ## write the golden files anew: all, or REPORTER=name; read the diff like code
	$(PYTHON) -m tests.golden $(REPORTER)

docs: ## run the commands shown in docs/ and README.md and write their output there
	$(PYTHON) docs/refresh.py

bench: ## measure, and write docs/performance.md; generates its captures; takes minutes
	$(PYTHON) -m bench --write

clean: ## remove caches and what building leaves (not .venv)
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
