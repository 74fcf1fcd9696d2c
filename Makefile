# Everything runs in .venv, made of pinned packages by the first target that needs it.
PYTHON ?= python3
VENV := .venv
RELEASE := .venv-release
RUN := $(VENV)/bin
# A test waits for a third of its time, so there is one worker more than the two cores (docs/decisions/tests.md).
PYTEST := $(RUN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
CHECK_PYTHON = $(PYTHON) -c 'import sqlite3, sys; version, sqlite = sys.version.split()[0], sqlite3.sqlite_version; sys.exit( \
  sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and this is " + version + ": make PYTHON=python3.11 TARGET" or \
  sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42) and "Python " + version + " needs SQLite 3.42 or newer, \
  and this one has " + sqlite + ": make PYTHON=python3.11 TARGET")'

# Measuring doubles the processor time of a test, so `make coverage` measures only these (docs/decisions/tests.md).
MEASURED := tests/unit tests/golden

.PHONY: help sandbox replicas quick test test-product test-sandbox flows lint types layers coverage bench pictures docs golden languages audit dist kube-assets deploy-tools pins clean

help:
	@echo "make sandbox       a pretend Slack, Azure and Kubernetes with the bot in it, on this machine"
	@echo "make replicas      the same with three bots on one PostgreSQL, which must be installed"
	@echo "make quick         format, lint, types, layers and the unit tests, in a minute and a half"
	@echo "make test          format, lint, types, layers and all tests"
	@echo "make test-product  the tests of the bot alone"
	@echo "make test-sandbox  the tests of the sandbox alone"
	@echo "make flows         the conversations of tests/flows, all ON=sqlite, ON=postgresql or ON=replicas"
	@echo "make lint          format and lint"
	@echo "make types         types"
	@echo "make layers        who may import whom"
	@echo "make coverage      the unit tests, and the floors of branch coverage"
	@echo "make bench         measure, all or BENCH='load rate', in both places or ON=sqlite or ON=postgresql"
	@echo "make pictures      take the pictures of docs/cards.md again (needs Chromium and pngquant)"
	@echo "make docs          write the generated pages of docs/"
	@echo "make golden        write the expected cards of tests/golden anew"
	@echo "make audit         look up known vulnerabilities of all pinned packages (needs PyPI)"
	@echo "make dist          build both distributions and the bot's SBOM, and try it"
	@echo "make kube-assets   build a real Kubernetes control plane for the contract tests (needs Go)"
	@echo "make deploy-tools  build helm and promtool for the tests of deploy/ (needs Go)"
	@echo "make pins          choose the newest allowed packages and pin them"
	@echo "make clean         remove the virtual environment, the sandbox's files and all caches"

$(VENV)/ready: requirements/test.txt
	@$(CHECK_PYTHON)
	@echo "Installing what the tests need into $(VENV): one to three minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)/python -m pip install --quiet --require-hashes --requirement requirements/test.txt
	@touch $@

# What runs needs less than what is tested.
$(VENV)/runs: requirements/runtime.txt requirements/sandbox.txt
	@$(CHECK_PYTHON)
	@echo "Installing what the bot and the sandbox need into $(VENV): one to two minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)/python -m pip install --quiet --require-hashes --requirement requirements/runtime.txt
	@$(RUN)/python -m pip install --quiet --require-hashes --requirement requirements/sandbox.txt
	@touch $@

sandbox: export REGISTRY_BOT_ENV_FILE := config/sandbox/bot.env
sandbox: $(VENV)/runs
	@rm -rf .sandbox/data
	@$(RUN)/python -m sandbox --folder .sandbox --manifest manifest.yml $(SANDBOX) -- $(RUN)/python -m bot run

replicas: export REGISTRY_BOT_ENV_FILE := config/sandbox/bot.env
replicas: $(VENV)/runs
	@$(RUN)/python -m sandbox --folder .sandbox --manifest manifest.yml $(SANDBOX) -- $(RUN)/python -u -m bench.run_replicas $(REPLICAS)

quick: lint types layers
	$(PYTEST) $(MEASURED) sandbox/tests/unit

test: lint types layers coverage
	$(PYTEST) $(addprefix --ignore=,$(MEASURED))

test-product: $(VENV)/ready
	$(PYTEST) tests

test-sandbox: $(VENV)/ready
	$(PYTEST) sandbox/tests

# Without ON as in `make test`: all on SQLite, some also on PostgreSQL and in three replicas behind a proxy.
flows: $(VENV)/ready
	$(PYTEST) tests/flows $(if $(ON),--on $(ON))

coverage: $(VENV)/ready
	@mkdir -p .coverage
	$(PYTEST) $(MEASURED) --cov --cov-report=
	@$(call HOLD_FLOOR,bot,42)
	@$(call HOLD_FLOOR,handlers,76)
	@$(call HOLD_FLOOR,services,69)

# Folder and per cent. Fails below them; the report names the lines and branches that no measured test runs.
HOLD_FLOOR = report=.coverage/$(1).txt; \
  $(RUN)/coverage report --include="$(1)/*" --fail-under=$(2) > $$report; failed=$$?; \
  echo "Branch coverage of $(1): $$(sed -n 's/^TOTAL.* //p' $$report), at least $(2) %. What is missing: $$report"; \
  exit $$failed

lint: $(VENV)/ready
	$(RUN)/ruff format --check
	$(RUN)/ruff check

types: $(VENV)/ready
	$(RUN)/mypy

layers: $(VENV)/ready
	$(RUN)/lint-imports
	$(RUN)/lint-imports --config sandbox/pyproject.toml

# Without ON the benchmarks of load measure on SQLite and on PostgreSQL.
bench: $(VENV)/ready
	$(RUN)/python -m bench $(BENCH) $(if $(ON),--on $(ON))

pictures: $(VENV)/ready
	$(RUN)/python -m bench.pictures docs/pictures --prefix after-
	pngquant --force --ext .png --strip 48 docs/pictures/after-*.png

docs: $(VENV)/ready
	$(RUN)/python -m bot docs

languages: $(VENV)/ready
	$(RUN)/python -m tests.languages

golden: $(VENV)/ready
	$(RUN)/python -m pytest tests/golden --write-golden

# What releases are made with, apart from what is tested.
$(RELEASE)/ready: requirements/release.txt
	@$(CHECK_PYTHON)
	@$(PYTHON) -m venv $(RELEASE)
	@$(RELEASE)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

# A package that can't be looked up fails it too.
audit: $(RELEASE)/ready
	$(RELEASE)/bin/pip-audit --strict --require-hashes --disable-pip $(patsubst %,--requirement %,$(wildcard requirements/*.txt))

# Both wheels, and the bot's in an environment of its own, which knows nothing of this folder. The SBOM is of that.
dist: $(RELEASE)/ready
	rm -rf dist build sandbox/build
	$(PYTHON) -m venv dist/.venv
	dist/.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist . ./sandbox
	dist/.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/runtime.txt
	dist/.venv/bin/python -m pip install --quiet --no-deps --no-index --find-links dist registry-bot
	cd dist && .venv/bin/registry-bot manifest > /dev/null
	dist/.venv/bin/python -m pip uninstall --quiet --yes setuptools pip
	$(RELEASE)/bin/cyclonedx-py environment dist/.venv/bin/python --output-reproducible --output-file dist/registry-bot.cdx.json
	rm -rf dist/.venv build sandbox/build

include tools/kube/Makefile.inc

# Where tests/deploy_tools.py looks for them: some ten minutes of two busy cores the first time, nothing after that.
DEPLOY_TOOLS := helm promtool
deploy-tools:
	@for name in $(DEPLOY_TOOLS); do \
	  folder="$${XDG_CACHE_HOME:-$$HOME/.cache}/registry-bot/deploy-tools/$$(sha256sum tools/$$name/go.mod | cut -c1-16)"; \
	  if [ -x "$$folder/$$name" ]; then echo "$$folder/$$name"; continue; fi; \
	  echo "Building $$folder/$$name"; mkdir -p "$$folder"; \
	  (cd tools/$$name && CGO_ENABLED=0 $(GO) build -mod=readonly -trimpath -buildvcs=false -ldflags "-s -w" -o "$$folder" tool) \
	    || exit 1; \
	done

pins: $(VENV)/ready
	$(RUN)/python -m pip install --quiet uv
	for set in runtime traces sandbox test release; do \
	  [ $$set = traces ] && within="--constraint requirements/runtime.txt" || within=; \
	  $(RUN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	    --quiet $$within requirements/$$set.in --output-file requirements/$$set.txt || exit 1; \
	done

clean:
	rm -rf $(VENV) $(RELEASE) .sandbox .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage build sandbox/build
