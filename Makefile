# Everything from a fresh clone: `make demo` shows a sweep, `make test` proves that it works.

.PHONY: help demo test vllm test-vllm lint setup clean
.DEFAULT_GOAL := help

SHELL := /bin/bash
BIN := .venv/bin

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/ready ## The locked environment in .venv, and bubblewrap if it is missing

.venv/ready: uv.lock pyproject.toml infra/setup.sh infra/uv.sh
	@infra/setup.sh
	@touch $@

.venv/ready-to-test: .venv/ready
	@infra/setup.sh --develop
	@touch $@

demo: setup ## A sweep on the bundled programs model: sample, verify in a sandbox, coverage, report
	@$(BIN)/monkeys sweep examples/programs.yaml

test: .venv/ready-to-test ## All tests
	@$(BIN)/python -m pytest

vllm: .venv/ready ## vLLM in an environment of its own, .venv-vllm (4 GB without a GPU)
	@infra/vllm_env.sh

test-vllm: ## The tests of engines on the real vLLM; says so where it cannot be installed
	@infra/vllm_env.sh || { status=$$?; [ $$status -eq 3 ] && echo "test-vllm: nothing tested" && exit 0; exit $$status; }; \
	.venv-vllm/bin/python -m pytest tests/engines/test_contract.py tests/engines/test_transformers.py tests/vllm

lint: .venv/ready-to-test ## Style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean: ## Remove the environment and caches; results in runs/ stay
	rm -rf .venv .venv-vllm .venv-setup .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
