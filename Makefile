# Every target is one word; `make` alone lists them. Nothing needs to be set up first.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup demo servers test deep lint format types contracts bench reports package clean

# Four workers each read all tests: what one run compiled, the next need not, wherever that is switched off.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
export UV := $(shell command -v uv || echo .uv/bin/uv)
PDF_LIBRARIES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
# libatomic1 is what the driver of the browser asks for and no Debian brings by itself.
TEST_PROGRAMS := $(PDF_LIBRARIES) qpdf poppler-utils chromium libatomic1 nodejs shellcheck

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: .venv/developer ## make .venv with everything a developer needs

demo: .venv/user ## scan an example, leave demo-report/report.html and report.pdf
	@$(BIN)/python -c 'import weasyprint' 2>/dev/null || .ci/system-packages $(PDF_LIBRARIES) || true
	@.ci/demo $(BIN)/keyaudit

servers: .venv/developer ## start every provider on this machine, to try things by hand; see examples/05
	PYTHONPATH=tests $(BIN)/python -m servers demo-servers

test: .venv/developer ## lint, types, import contracts and all tests but the deep ones
	@.ci/system-packages $(TEST_PROGRAMS)
	@$(MAKE) lint types contracts
	$(BIN)/pytest -n 4 --dist worksteal -q -m "not deep"

deep: .venv/developer ## what `make test` leaves out for its length: long searches, whole rotations
	$(BIN)/pytest -n 4 --dist worksteal -q -m deep

lint: .venv/developer ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: .venv/developer ## let ruff put the code in order
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format

types: .venv/developer ## mypy, strict
	$(BIN)/mypy

contracts: .venv/developer ## import-linter: who may import whom
	$(BIN)/lint-imports

bench: .venv/developer ## ratios: time and memory against the least that the same work could take; PART=verify for one
	PYTHONPATH=tests $(BIN)/python -m bench $(PART)

reports: .venv/developer ## write reports/ and the expected output of examples/ anew
	@.ci/system-packages $(PDF_LIBRARIES)
	$(BIN)/python tests/gallery.py

package: .venv/developer ## build the wheel and the source archive into dist/
	$(UV) build --quiet --out-dir dist
	@ls dist

clean: ## remove all that was made here
	rm -rf .venv .uv dist build demo-report demo-servers .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A user's environment must not take a developer's packages away, hence --inexact.
.venv/user: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --locked --inexact --no-dev --extra pdf
	@touch $@

.venv/developer: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --locked --all-extras
	@touch $@ .venv/user

.uv/bin/uv:
	@.ci/system-packages python3 python3-venv
	python3 -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv
