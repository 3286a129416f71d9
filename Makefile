# Every target sets up what it needs: a virtual environment with the pinned versions, on first use only.
# Variables: PYTHON (interpreter for the virtual environment), JOBS (test processes), ARGS (passed on); for
# conformance BACKEND and PATHS (folders of Keras's tests).

SHELL := bash
VENV := .venv
JOBS ?= 2
ARGS ?=
BACKEND ?= jax
PATHS ?= ops random
TFJS := 4.22.0
PYTHON_IN_VENV := $(VENV)/bin/python
# A stamp is written last, so a set-up that broke off is taken up again.
READY := $(VENV)/.ready
TFJS_READY := $(VENV)/.tfjs-$(TFJS)

TF_CPP_MIN_LOG_LEVEL ?= 3
export TF_CPP_MIN_LOG_LEVEL PYTHON

.PHONY: help setup demo test sweep lint types bench conformance docs size format clean
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY) $(TFJS_READY) ## Virtual environment and dependencies (every other target does this by itself)

$(READY): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" tools/setup.sh $(VENV)
	@touch $@

# Without npm, or when npm fails, there is no stamp: the next run looks again.
$(TFJS_READY): | $(READY)
	@if ! command -v npm >/dev/null; then \
	  echo "npm not found: TF.js checks will be skipped."; \
	elif npm install --prefix $(VENV) --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
	    @tensorflow/tfjs@$(TFJS) >/dev/null; then \
	  touch $@; \
	else \
	  echo "npm could not install @tensorflow/tfjs@$(TFJS): TF.js checks will be skipped."; \
	fi

demo: setup ## Train on real digits, cross four frameworks, export to six targets, compare them all
	@$(PYTHON_IN_VENV) examples/demo.py $(ARGS)

test: setup ## All tests and doctests
	@$(PYTHON_IN_VENV) -m pytest -q -n $(JOBS) $(ARGS)

sweep: setup ## Every row of the tables of ops under every law; `make test` takes a share of them for the slow laws
	@KBRIDGE_ALL_ROWS=1 $(PYTHON_IN_VENV) -m pytest -q -n $(JOBS) tests/backends $(ARGS)

lint: $(READY) ## ruff (rules, format) and the import contracts
	@$(PYTHON_IN_VENV) -m ruff check .
	@$(PYTHON_IN_VENV) -m ruff format --check .
	@$(VENV)/bin/lint-imports --no-logo

types: $(READY) ## mypy on the package
	@$(PYTHON_IN_VENV) -m mypy

bench: $(READY) ## The README's figures beside Keras and native code; ARGS="fit_step --quick" for a part
	@$(PYTHON_IN_VENV) -m benchmarks $(ARGS)

conformance: $(READY) ## Keras's own tests against kbridge; BACKEND=torch PATHS="ops random" ARGS="-k add"
	@$(PYTHON_IN_VENV) tests/conformance/keras_suite.py --target kbridge --backend $(BACKEND) -n $(JOBS) $(ARGS) $(PATHS)

docs: $(READY) ## docs/ops.md, the table of ops, from their declarations
	@PYTHONPATH=. KBRIDGE_BACKEND=numpy KERAS_BACKEND=tensorflow $(PYTHON_IN_VENV) tools/op_table.py $(ARGS)

size: $(READY) ## Lines per folder, their change since HEAD, the longest function
	@$(PYTHON_IN_VENV) tools/size.py

format: $(READY) ## Let ruff rewrite what it can
	@$(PYTHON_IN_VENV) -m ruff check --fix-only .
	@$(PYTHON_IN_VENV) -m ruff format .

clean: ## Remove everything that was generated, the virtual environment too
	@rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
