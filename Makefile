.DEFAULT_GOAL := help
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
UV      := $(BIN)/uv
# Compiled here once, so that the programs do not compile their libraries at each start.
SYNC    := $(UV) pip sync --quiet --compile-bytecode
# Meltano caps libraries that our tests use in newer versions, so it has an environment of its own.
MELTANO := .venv-meltano
PYTEST  := $(BIN)/python -m pytest --numprocesses 3 --dist worksteal

.PHONY: help install demo demo-clean test test-all coverage lint format types docs migration lock matrix

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed $(MELTANO)/.installed  ## Install everything into .venv (the other commands do this first)
	@ln -sfn ../../$(MELTANO)/bin/meltano $(BIN)/meltano

$(UV): requirements/uv.txt
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.installed: $(UV) pyproject.toml requirements/dev.txt
	@$(SYNC) --python $(BIN)/python --require-hashes requirements/dev.txt requirements/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
	@echo "installed into $(VENV)"

$(MELTANO)/.installed: $(UV) requirements/meltano.txt
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python $(MELTANO)
	@$(SYNC) --python $(MELTANO)/bin/python --require-hashes requirements/meltano.txt
	@touch $@
	@echo "installed Meltano into $(MELTANO)"

demo: install  ## Run both Meltano pipelines against a local LINE platform and PostgreSQL; needs no account
	@$(BIN)/python -m examples.demo.run

demo-clean:  ## Delete the demo's data
	@rm -rf .demo

test: install  ## Run the test suite
	@$(PYTEST)

test-all: test  ## Run the test suite, then its sweeps in their long form (kills, malformed requests)
	@$(PYTEST) -m sweep --long

coverage: install  ## Run the test suite and report the branches it does not reach
	@$(PYTEST) --cov --cov-report term-missing:skip-covered

lint: install  ## Check style, format and declared dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/deptry .

format: install  ## Fix what ruff can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: install  ## Check the types
	@$(BIN)/mypy

docs: install  ## Write the generated pages
	@$(BIN)/python docs/generate.py

migration: install  ## Write the next store revision from the tables: make migration message="Add a column"
	@$(BIN)/python line_core/store/migrations/generate.py "$(message)"

lock: install  ## Pin the newest allowed versions, with hashes, in requirements/
	@$(BIN)/python requirements/lock.py

matrix: install  ## Run tests on all Python versions here, oldest and newest dependencies, and test the wheel
	@$(BIN)/nox
