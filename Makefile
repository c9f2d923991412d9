# Everything a newcomer needs: `make demo` and `make test` set up what they use.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SDK_TESTS := tests/unit/sdk tests/unit/codec tests/unit/model tests/integration/sdk

.PHONY: demo test test-sdk check lock clean
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

test-sdk: $(VENV)/.ready  ## the SDK's own tests on every other supported Python that is installed
	for version in 3.12 3.13; do \
		found=$$({ command -v python$$version; ls "$$(pyenv root)"/versions/$$version.*/bin/python; } \
			2>/dev/null | while read -r each; do "$$each" -c '' 2>/dev/null && echo "$$each" && break; done); \
		test -n "$$found" || { echo "Python $$version is not installed: skipped"; continue; }; \
		echo "Python $$version"; \
		test -x $(VENV)/$$version/bin/pytest || { "$$found" -m venv $(VENV)/$$version && \
			$(VENV)/$$version/bin/python -m pip install --quiet pytest hypothesis; } || exit 1; \
		PYTHONPATH=src $(VENV)/$$version/bin/python -m pytest -q -p no:cacheprovider \
			$(SDK_TESTS) || exit 1; \
	done

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
