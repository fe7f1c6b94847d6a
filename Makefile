# Development of mlscaffold itself; `make help` lists the verbs. PYTHON=... chooses another interpreter (3.11 or newer).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
DEMO := .cache/demo/penguins
WORKERS ?= 3
.DEFAULT_GOAL := help
.PHONY: help demo test test-heavy coverage lint docs bench clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One environment for development: the package in place, and the groups `test` and `docs` of pyproject.toml.
# The library's dependencies are those of a generated repository, from its lock.
$(VENV)/.ready: pyproject.toml runtime/pyproject.toml template/requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement template/requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable . --editable runtime --group test --group docs
	touch $@

demo: $(VENV)/.ready ## the main job: a table becomes a repository, a model, and an answer over HTTP
	rm -rf $(DEMO)
	$(BIN)/mlscaffold new $(DEMO) --defaults --ship

# Three workers also on two cores: tests that wait for a service or an alert leave one idle. The long files come first (tests/conftest.py).
test: $(VENV)/.ready ## all tests (lint, unit, template, lifecycle, end to end), with coverage
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not heavy" --cov --cov-report=term $(ARGS)

test-heavy: $(VENV)/.ready ## repositories that train several times: releases, merges, ejection, an index
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m heavy $(ARGS)

coverage: $(VENV)/.ready ## all tests, and what generated repositories run is counted too (an hour)
	MEASURE_GENERATED=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(ARGS)

lint: $(VENV)/.ready ## ruff, mypy and the direction of imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

docs: $(VENV)/.ready ## the documentation as a site, in site/
	$(BIN)/mkdocs build --strict

bench: $(VENV)/.ready ## the tables of ratios (minutes; not in CI)
	$(BIN)/python benchmarks/cli.py && $(BIN)/python benchmarks/new.py && $(BIN)/python benchmarks/update.py && $(BIN)/python benchmarks/setup.py && $(BIN)/python benchmarks/daily.py && $(BIN)/python benchmarks/day_one.py && $(BIN)/python benchmarks/evaluation.py && $(BIN)/python benchmarks/fleet.py && $(BIN)/python benchmarks/serving/run.py

clean: ## remove what can be made again
	rm -rf .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist site
