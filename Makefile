# Every target does its own set-up; `make help` lists them.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
CONTRACT := proto/enchanted/events/v1/events.proto

.DEFAULT_GOAL := help
.PHONY: help setup lock web web-lock web-check web-test proto proto-web fmt lint format-check types arches fresh spelling unit integration acceptance \
        check test soak bench bench-web docs screenshots demo clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make .venv/ with everything (skips what is done)

$(READY): requirements.txt pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "setting up $(VENV) (about 250 MB to download at the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m mission_control.web_build
	@touch $(READY)

lock: ## pin the newest versions that pyproject.toml allows in requirements.txt
	@rm -rf .make/lock && $(PYTHON) -m venv .make/lock
	@.make/lock/bin/pip install --quiet --upgrade pip
	@.make/lock/bin/pip install --quiet '.[embedded,agents]' --group dev
	@{ echo '# Made by `make lock` from pyproject.toml: every package of the development set-up, pinned.'; \
	   .make/lock/bin/pip freeze --all --exclude enchanted-swarm --exclude pip; } > requirements.txt

web: setup ## build the pages of the dashboard (skips what is fresh)
	@$(BIN)/python -m mission_control.web_build

proto: setup ## generate the wire contract's classes
	@$(BIN)/python proto/generate.py

proto-web: setup ## generate the wire contract's types for the pages
	@$(BIN)/python proto/generate_web.py

web-lock: setup ## pin the newest packages that package.json allows in package-lock.json
	@rm -rf .make/web-lock && mkdir -p .make/web-lock
	@cp mission_control/package.json mission_control/.npmrc .make/web-lock/
	@cd .make/web-lock && npm install --package-lock-only --ignore-scripts --loglevel=error
	@cp .make/web-lock/package-lock.json mission_control/ && node mission_control/lock.mjs

fmt: setup ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

format-check: setup
	@echo '== format' && $(BIN)/ruff format --check .
lint: setup ## lint
	@echo '== lint' && $(BIN)/ruff check .
types: setup ## check types, strictly
	@echo '== types' && $(BIN)/mypy -p nervous_system -p cortex -p infrastructure -p mission_control -p tests
arches: setup ## check the import arrows
	@echo '== import arrows' && $(BIN)/lint-imports
spelling: setup
	@echo '== spelling' && $(BIN)/codespell nervous_system cortex infrastructure mission_control tests docs proto *.md
fresh: setup ## check that generated code and documents are up to date
	@echo '== generated files are fresh' && $(BIN)/python -m pytest tests/architecture tests/docs

web-check: setup ## check and test the code of the pages
	@echo '== pages' && $(BIN)/python -m tests.web.checks

check: format-check lint types arches spelling fresh web-check ## all the checks that run no server

unit: setup
	@echo '== unit and property tests' && $(BIN)/python -m pytest -n $(WORKERS) tests/unit tests/property
integration: setup
	@echo '== integration tests' && SWARM_REQUIRE_SERVERS=1 $(BIN)/python -m pytest -n $(WORKERS) tests/integration
acceptance: setup
	@echo '== acceptance tests' && SWARM_REQUIRE_SERVERS=1 $(BIN)/python -m pytest -n $(WORKERS) tests/acceptance

web-test: web ## test the pages in a real browser, on a real swarm
	@echo '== pages in a browser' && $(BIN)/python -m tests.web.prepare
	@SWARM_REQUIRE_SERVERS=1 $(BIN)/python -m pytest tests/web

test: check unit integration acceptance web-test ## every check and every test

soak: setup ## the long fault runs (about an hour)
	@$(BIN)/python -m pytest --soak -m soak tests/acceptance

bench: setup ## the benchmarks; the table is docs/benchmarks.md
	@$(BIN)/swarm bench

bench-web: web ## measure the dashboard in a real browser (QUICK=1: a tenth of the time)
	@$(BIN)/python -m tests.web.prepare
	@$(BIN)/python -m tests.web.bench $(if $(QUICK),--quick) $(if $(JSON),--json $(JSON))

docs: setup ## write the generated reference pages anew
	@$(BIN)/python -m cortex.cli.reference > docs/reference/cli.md
	@$(BIN)/python -m infrastructure.history.reference $(CONTRACT) > docs/reference/sql.md
	@$(BIN)/python proto/reference.py > docs/reference/events.md
	@$(BIN)/python -m mission_control.server.openapi > docs/reference/openapi.json
	@$(BIN)/python -m mission_control.api_types

screenshots: web ## take the pictures of docs/img
	@$(BIN)/python -m tests.web.screenshots

demo: setup ## the main job on the embedded stack, and its result
	@$(BIN)/python examples/demo.py

clean: ## remove what the targets made
	@rm -rf $(VENV) .make build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
