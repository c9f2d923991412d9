# Everything a newcomer needs: `make demo` and `make test` set up what they use.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lock clean
.DEFAULT_GOAL := test

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: $(VENV)/.ready  ## the example program fails and heals, live
	$(BIN)/prunella demo

test: $(VENV)/.ready  ## every test
	$(BIN)/python -m pytest

check: $(VENV)/.ready  ## lint, types, contracts, spelling, dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(BIN)/deptry .

lock: $(VENV)/.ready  ## pin what development installs
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --all-extras --group dev --group build pyproject.toml -o requirements-dev.txt

clean:
	rm -rf $(VENV)
