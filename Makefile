# Everything from a fresh clone: `make demo` runs a sweep, `make test` tests every package.

.PHONY: help demo test test-all provers lean-dojo vllm test-vllm lint check docs setup clean
.DEFAULT_GOAL := help

SHELL := /bin/bash
BIN := .venv/bin

# Tests wait more than they compute, so four workers suit two cores; more would only start more servers.
PYTEST := $(BIN)/python -m pytest --numprocesses 4 --dist loadgroup --no-loadscope-reorder

help: ## List the targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/ready ## The locked environment in .venv, and bubblewrap if it is missing

.venv/ready: uv.lock pyproject.toml infra/setup.sh infra/uv.sh
	@infra/setup.sh
	@touch $@

.venv/ready-to-test: .venv/ready
	@infra/setup.sh --develop
	@touch $@

extra-%: .venv/ready ## An optional dependency: extra-hub, extra-math, extra-swe or extra-transformers
	@infra/setup.sh --extra $*

demo: setup ## A sweep of the bundled programs model: draw, grade in a sandbox, coverage, report
	@$(BIN)/monkeys sweep examples/programs.yaml

# Tests start a few hundred commands, each of which takes half the time if bytecode is cached.
test test-all test-vllm: export PYTHONDONTWRITEBYTECODE =

test: .venv/ready-to-test ## Every package, with real sandboxes and a real sweep, without slow tests (about 10 minutes on two cores)
	@$(PYTEST) -m "not (slow or server or docker or browser)"

test-all: .venv/ready-to-test ## All tests, including slow ones and those with Docker, a Prefect server or a browser
	@$(PYTEST)

provers: .venv/ready ## Rocq (Coq) from Debian with Coquelicot, for proofs, and for tests the library of Lean
	@infra/provers.sh
	@infra/lean_wheel.sh || [ $$? -eq 3 ]

lean-dojo: ## LeanDojo in a separate environment, .venv-lean-dojo (330 MB), for `prover: lean_dojo`
	@infra/lean_dojo_env.sh

vllm: .venv/ready ## vLLM in a separate environment, .venv-vllm (4 GB without a GPU)
	@infra/vllm_env.sh

test-vllm: ## The tests of engines with the real vLLM; says so if it cannot be installed
	@infra/vllm_env.sh || { status=$$?; [ $$status -eq 3 ] && echo "test-vllm: nothing tested" && exit 0; exit $$status; }; \
	.venv-vllm/bin/python -m pytest tests/engines/test_contract.py tests/engines/test_transformers.py tests/vllm

lint: .venv/ready-to-test ## Style, types, the direction of imports, plain words, generated pages of the docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python infra/lint_wording.py
	@$(BIN)/python -m infra.generate_docs --check

docs: .venv/ready-to-test ## The documentation as a site in build/docs
	@$(BIN)/python -m infra.generate_docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet && echo "docs: build/docs/index.html"

check: lint test ## What to run before a commit: lint, then test

clean: ## Remove the environment and caches; results in runs/ stay
	rm -rf .venv .venv-vllm .venv-lean-dojo .venv-setup .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
