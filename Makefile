# Everything a checkout needs, with Python 3.11 (or later) and make alone. `make` lists the targets.

# The first Python that will do. Another one: `make PYTHON=/path/to/python3.12 setup`.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& echo $$python && exit; done; echo python3)

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench format generate compose-secrets clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing (the other targets do it themselves)
	@$(PYTHON) -m deploy.local.install

demo: setup ## run the whole system with a cohort; DATA=folder replays your data, ONCE=1 ends by itself
	@.venv/bin/cairn demo $(if $(DATA),--data "$(DATA)") $(if $(ONCE),--once) $(ARGS)

test: setup ## run all tests; ARGS="tests/awarding -k cascade" runs some
	@.venv/bin/pytest $(ARGS)

check: setup ## formatting, lint, types, import rules, architecture
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/pyright
	@.venv/bin/lint-imports
	@.venv/bin/pytest --quiet tests/house

bench: setup ## measure it all beside its floors; ARGS="flatness --quick" measures some
	@.venv/bin/python -m benchmarks $(ARGS)

format: setup ## format the code and mend what ruff can mend
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format --quiet .

generate: setup ## write what follows from the code: schemas of the contracts, pages of docs/reference
	@.venv/bin/python -m libs.common.contracts
	@.venv/bin/python -m deploy.reference

compose-secrets: setup ## make the passwords and keys that docker-compose.yml reads
	@.venv/bin/python -m deploy.compose_secrets

clean: ## remove all that setup, demo and tests left in this folder
	@rm -rf .venv .cairn .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
