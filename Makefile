# Everything a newcomer needs: `make demo` and `make test` set up what they use.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SDK_TESTS := tests/unit/sdk tests/unit/taxonomy tests/unit/fixes tests/unit/experiment tests/unit/codec \
	tests/unit/model tests/integration/sdk tests/integration/fixes

PEERS := $(VENV)/peers
PEER_PACKAGES := sentry-sdk opentelemetry-api opentelemetry-sdk logfire ddtrace tenacity

.PHONY: demo test test-sdk check lock clean \
	bench-overhead bench-store bench-codec bench-neighbours bench-oracle bench-repair bench-rollout \
	bench-scan bench-speed bench-fixes bench-live bench-server bench-dashboard
.DEFAULT_GOAL := test

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: $(VENV)/.ready  ## the example program fails and heals, live
	$(BIN)/prunella demo

test: $(VENV)/.ready  ## every test
	$(BIN)/python -m pytest -n auto

test-sdk: $(VENV)/.ready  ## the SDK's own tests on every other supported Python that is installed
	for version in 3.12 3.13; do \
		found=$$({ command -v python$$version; ls "$$(pyenv root)"/versions/$$version.*/bin/python; } \
			2>/dev/null | while read -r each; do "$$each" -c '' 2>/dev/null && echo "$$each" && break; done); \
		test -n "$$found" || { echo "Python $$version is not installed: skipped"; continue; }; \
		echo "Python $$version"; \
		test -x $(VENV)/$$version/bin/pytest || { "$$found" -m venv $(VENV)/$$version && \
			$(BIN)/uv pip install --quiet --python $(VENV)/$$version/bin/python \
				--require-hashes -r requirements-dev.txt; } || exit 1; \
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

# What Prunella is compared with goes into an environment of its own, never into development's. One
# after the other, so that a package without a build for this machine is left out of the table alone.
# vectorwave is measured if it is there; its dependencies are several gigabytes, so nobody gets them
# without asking: `.venv/peers/bin/python -m pip install vectorwave lancedb`.
$(PEERS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	for package in $(PEER_PACKAGES); do \
		timeout 120 $(PEERS)/bin/python -m pip install --quiet $$package \
			|| echo "$$package does not install here: left out"; \
	done
	touch $@

bench-overhead: $(PEERS)/.ready  ## what @heal adds to a call, and what others add
	PYTHONPATH=src $(PEERS)/bin/python benchmarks/overhead.py

bench-store: $(VENV)/.ready  ## how fast the store takes records in and answers; DATABASE may be set
	$(BIN)/python benchmarks/store.py $(if $(DATABASE),--database $(DATABASE))

bench-codec: $(VENV)/.ready  ## what encoding values costs
	$(BIN)/python benchmarks/codec.py

bench-neighbours: $(VENV)/.ready  ## how long finding callers and tests takes
	$(BIN)/python benchmarks/neighbours.py

bench-oracle: $(VENV)/.ready  ## how many wrong patches of the example program the judge accepts
	$(BIN)/python benchmarks/oracle.py

bench-scan: $(VENV)/.ready  ## how long a round of the bot looks at 1,000 incidents
	$(BIN)/python benchmarks/scan.py

bench-speed: $(VENV)/.ready  ## how long healing takes in a project of 500 files, and where the time goes
	$(BIN)/python benchmarks/speed.py

bench-repair: $(VENV)/.ready  ## repairs of the programs in DATA, QUIXBUGS, and BUGSINPY with PROJECTS
	@test -n "$(DATA)$(QUIXBUGS)$(BUGSINPY)" || { echo "say where they are: make bench-repair \
	DATA=refactory_crashes.jsonl QUIXBUGS=folder BUGSINPY=folder PROJECTS=folder; \
	RESULTS=folder keeps what is done"; exit 2; }
	$(BIN)/python benchmarks/repairs.py $(if $(DATA),--data "$(DATA)") \
		$(if $(QUIXBUGS),--quixbugs "$(QUIXBUGS)") $(if $(BUGSINPY),--bugsinpy "$(BUGSINPY)") \
		$(if $(PROJECTS),--projects "$(PROJECTS)") $(if $(RESULTS),--results "$(RESULTS)")

bench-rollout: $(VENV)/.ready  ## whether rollouts decide rightly, and how soon; SEED and RUNS may be set
	$(BIN)/python benchmarks/rollout.py --seed $(or $(SEED),1) --runs $(or $(RUNS),10000)

bench-fixes: $(VENV)/.ready  ## what fixes add to a call
	$(BIN)/python benchmarks/fixes.py

bench-live: $(VENV)/.ready  ## what fixes do to three running processes, from the first error on
	$(BIN)/python benchmarks/live.py

bench-server: $(VENV)/.ready  ## what a server takes in and tells, and what is left after kill -9
	$(BIN)/python benchmarks/server.py

bench-dashboard: $(VENV)/.ready  ## how soon the dashboard's pages answer and are seen
	$(BIN)/python benchmarks/dashboard.py

lock: $(VENV)/.ready  ## pin what development installs
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --all-extras --group dev --group build pyproject.toml -o requirements-dev.txt

clean:
	rm -rf $(VENV)
