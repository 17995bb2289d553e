# Everything a developer or CI does, by name. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-all lint format wheel bench accuracy soak picture prices bump clean

JOBS ?= $(shell nproc)
PYTHON := .venv/bin/python
export PYTHONDONTWRITEBYTECODE ?=
export CTEST_PARALLEL_LEVEL ?= $(JOBS)

help:  ## This list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## Install what is missing: Debian packages, .venv
	@scripts/setup

build: setup  ## Build core, Python module, command and tests into build/dev
	@cmake --preset dev --log-level=WARNING
	@cmake --build --preset dev --parallel $(JOBS)

demo: build  ## An agent on the real OpenAI client runs into its cap
	@scripts/demo

test: build  ## Lint, core tests, fuzzers, Python tests: at most 10 minutes from a fresh checkout
	@scripts/test

test-all: build  ## What `make test` leaves out: sanitizers, kill tests, openai 2.x, installs, fuzzers, price tables
	@scripts/test-all

lint: build  ## Formatters and linters, as `make test` runs them
	@scripts/lint

format: setup  ## Format C++ and Python
	@scripts/lint --fix

wheel: setup  ## Build the Python wheel into dist/
	@scripts/wheel

bench: build  ## Measure; prints a table, writes build/bench.json
	@scripts/setup tokens
	@cmake --build --preset dev --target benches --parallel $(JOBS)
	@$(PYTHON) -m tests.bench

accuracy: build  ## How near counts and costs are to recorded calls: docs/accuracy.md
	@scripts/setup accuracy
	@.venv-accuracy/bin/python -m tests.accuracy

soak: build  ## Run the simulators and process tests for hours
	@scripts/soak

picture: build  ## Draw docs/demo.svg from a real run of the demo
	@scripts/picture

prices:  ## Import the public price tables: prices/imported/, prices/report.md
	@scripts/setup prices
	@.venv-prices/bin/python -m prices.importer

bump:  ## Move the lock files to the newest releases
	@scripts/bump

clean:  ## Remove what was built (the virtual environments stay)
	rm -rf build dist python/farthing/_farthing*.so
