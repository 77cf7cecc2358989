# Three commands for people: `make up`, `make test`, `make check`. Each does all of its own set-up.

# The distribution's interpreter is built with its profile, which builds from source mostly are not: a third faster here.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3.11) python3.11)
VENV := .venv
BIN := $(VENV)/bin
# Written last, and named after what it depends on: a second run installs nothing.
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install up down status test test-all check lock

help:
	@echo "make up        install what is missing and start everything; prints the address, the keys and the sign-in"
	@echo "make down      stop everything; the data stays"
	@echo "make test      the tests that CI runs, a few minutes"
	@echo "make test-all  every test"
	@echo "make check     lint, format, types, layers, size budgets"

$(BIN)/python:
	@$(PYTHON) -m venv --clear $(VENV) || python3.11 -m venv --clear $(VENV)

# uv installs in seconds what takes pip minutes; without it pip does the same.
$(INSTALLED): $(BIN)/python requirements.lock pyproject.toml
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true
	@if $(BIN)/python -m uv --version >/dev/null 2>&1; then \
		echo "Installing the packages of requirements.lock"; \
		VIRTUAL_ENV=$(VENV) $(BIN)/python -m uv pip install --quiet --compile-bytecode -r requirements.lock && \
		VIRTUAL_ENV=$(VENV) $(BIN)/python -m uv pip install --quiet --no-deps --editable . ; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . ; \
	fi
	@touch $@

install: $(INSTALLED)

up: $(INSTALLED)
	@$(BIN)/heliograph up --demo

down: $(INSTALLED)
	@$(BIN)/heliograph down

status: $(INSTALLED)
	@$(BIN)/heliograph status

test: $(INSTALLED)
	$(BIN)/python -m pytest -q --numprocesses 2 --dist loadgroup --no-loadscope-reorder -m "not slow and not acceptance and not cluster"

test-all: $(INSTALLED)
	$(BIN)/python -m pytest -q

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

# After a change of the dependencies in pyproject.toml.
lock: $(INSTALLED)
	VIRTUAL_ENV=$(VENV) $(BIN)/python -m uv pip compile pyproject.toml --extra platform --extra tokenizers --extra dev --quiet \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-strip-extras --output-file requirements.lock
