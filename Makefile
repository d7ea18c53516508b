.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv

.PHONY: help install demo demo-clean test lint format types docs lock

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed  ## Make .venv with everything in it (the other commands do this first)

$(VENV)/.installed: pyproject.toml requirements/dev.txt requirements/uv.txt
	@test -x $(UV) || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt; }
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
	@echo "installed into $(VENV)"

demo: install  ## Sandbox + PostgreSQL + both Meltano runs, on this machine, no account needed
	@$(BIN)/python -m examples.demo.run

demo-clean:  ## Forget what the demo stored
	@rm -rf .demo

test: install  ## The whole test suite
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal

lint: install  ## Lint and check the format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: install  ## Mend what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: install  ## Check the types
	@$(BIN)/mypy

docs: install  ## Write the generated pages anew
	@$(BIN)/python docs/generate.py

lock: install  ## Pin the newest allowed versions, with hashes, in requirements/
	@$(BIN)/python requirements/lock.py
