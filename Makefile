# Submeter. `make` without a target lists the targets; each does its own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/sh
-include .env
export

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.run ## Create the demo, or reuse it, and serve it on 127.0.0.1:$(PORT)
	@$(BIN)/submeter demo --port $(PORT)

.PHONY: demo-reset
demo-reset: $(VENV)/.run ## Delete the demo, create it anew and serve it
	@$(BIN)/submeter demo --port $(PORT) --reset

.PHONY: serve
serve: $(VENV)/.run ## Serve the database of SUBMETER_DATABASE_URL
	@$(BIN)/submeter serve $(if $(filter file,$(origin PORT)),,--port $(PORT))

.PHONY: test
test: $(VENV)/.dev ## Run the whole test suite, on SQLite and on its own PostgreSQL
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## Run the checks of CI: format, lint, types, import contracts, migrations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_repository.py

.PHONY: format
format: $(VENV)/.dev ## Format the code and apply automatic fixes of lint errors
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: coverage
coverage: $(VENV)/.dev ## Run the test suite and show the lines that no test covers
	@$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term $(ARGS)

.PHONY: requirements
requirements: $(VENV)/.dev ## Update the column of tests in docs/requirements.md
	@$(BIN)/python -m tests.support.requirements

.PHONY: schema
schema: $(VENV)/.dev ## Generate graphql_schema/schema.graphql
	@$(BIN)/python -m graphql_schema > graphql_schema/schema.graphql.new
	@mv graphql_schema/schema.graphql.new graphql_schema/schema.graphql

.PHONY: migration
migration: $(VENV)/.dev ## Generate the initial migration from the models (until 0.2 is released)
	@$(BIN)/python -m core.models > core/migrations/0001_initial.py.new
	@mv core/migrations/0001_initial.py.new core/migrations/0001_initial.py

.PHONY: shape
shape: ## Show the ten longest files
	@git ls-files '*.py' | xargs wc -l | sort -rn | grep -v total | head -10

.PHONY: lock
lock: ## Lock the dependencies by version and hash, without index URLs (requires uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --extra build pyproject.toml -o requirements.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --extra build --extra dev pyproject.toml -o requirements-dev.lock

.PHONY: clean
clean: ## Remove the environment and build output, but not the demo's data
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Submeter requires Python 3.11 or newer; select one with make PYTHON=/path/to/python"; exit 1; }
	@echo "Creating the environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot create an environment here. On Debian and Ubuntu: apt install python3.11-venv"; exit 1; }

# The dev environment includes the runtime one, so it marks both as done.
$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing the locked dependencies ..."
	@$(PIP) --no-deps --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing the locked dependencies and the test extras ..."
	@$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@
