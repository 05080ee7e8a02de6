# Everything below works from a fresh clone with Python >= 3.11 and make. `make` alone lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := libs/contracts libs/common services/location services/dispatch services/training tools/stack
RUN := $(BIN)/shouwang
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup lock fmt types check test bench demo replay up contracts clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.installed  ## create .venv from requirements.lock and install the packages of this tree

$(VENV)/.installed: requirements.lock $(addsuffix /pyproject.toml,$(PACKAGES))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shouwang needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing from requirements.lock (a minute on a new machine) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	@touch $@

lock:  ## resolve again and write requirements.lock (hashes, no index addresses)
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv lock --quiet $(ARGS)
	$(BIN)/uv export --quiet --all-packages --all-groups --no-emit-workspace --no-header --no-annotate --format requirements-txt --output-file requirements.lock

demo: setup  ## a night of patrols, live (ARGS="--for 60 --json")
	@$(RUN) demo $(ARGS)

replay: setup  ## real traces and calls (ARGS="--units F.csv.gz --incidents F.csv.gz --speed 60")
	@$(RUN) replay $(ARGS)

up: setup  ## run the suite in the foreground; .shouwang/stack.json says where everything is
	@$(RUN) up $(ARGS)

types: setup  ## mypy alone
	$(BIN)/mypy libs/contracts/src libs/common/src services/location/src services/dispatch/src services/training/src tools/stack/src

check: setup  ## linters, types, architecture, and whether the lock still answers to the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types
	$(BIN)/lint-imports
	$(BIN)/python tools/check_lock.py

test: setup  ## all tests, on a real broker and a real database
	$(BIN)/python -m pytest $(ARGS)

bench: setup  ## what is promised, measured, peers side by side in one run
	$(BIN)/python bench/roster.py $(ARGS)

fmt: setup  ## format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: setup  ## write the schemas and the reference again; refuses an incompatible edit
	@$(RUN) contracts export $(ARGS)

clean:  ## remove what make and the tools have made
	rm -rf $(VENV) .shouwang .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
