# `make` lists the targets. Nothing has to be installed but Python ≥ 3.11 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
BENCH_INSTALLED := $(VENV)/installed-bench
# Tools that find others by name (buf its plugins, pyright its Python) look into the environment first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "harken needs Python 3.11 or later; name one with make PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m harken.audio --warm-up
	@touch $@

# On top of the rest: the lock holds the same versions of what both name.
$(BENCH_INSTALLED): requirements.bench.lock $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.bench.lock
	@touch $@

.PHONY: install
install: $(INSTALLED) ## Install everything into .venv

.PHONY: demo
demo: $(INSTALLED) ## Run the whole system on a minute of music made here, or on FILE=my.mp3
	@$(BIN)/python -m demo $(if $(FILE),"$(FILE)")

# Each process starts a database and a Redis of its own: more of them than cores are no faster.
PARALLEL ?= 2
.PHONY: test
test: $(INSTALLED) ## Run the tests, in PARALLEL=2 processes
	$(BIN)/python -m pytest -n $(PARALLEL) --dist loadfile

.PHONY: chaos
chaos: $(INSTALLED) ## Break a live system at random and judge it; SEED=1 DURATION=600 DATABASE=sqlite EVERY=2.5
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(DURATION),--duration $(DURATION)) \
		$(if $(DATABASE),--database $(DATABASE)) $(if $(EVERY),--every $(EVERY))

.PHONY: check
check: $(INSTALLED) ## Check format, lint, types, imports, the contract and its generated code
	ruff format --check .
	ruff check .
	pyright --project pyproject.toml
	lint-imports
	buf lint
	buf format --diff --exit-code
	.ci/generated-is-current

.PHONY: format
format: $(INSTALLED) ## Format code and contract
	ruff check --fix --exit-zero --quiet .
	ruff format .
	buf format --write

.PHONY: generate
generate: $(INSTALLED) ## Generate messages, stubs and type stubs from the contract
	buf generate
	@for stub in proto/harken/v1/*_pb2_grpc.pyi; do test -f "$${stub%i}" || rm "$$stub"; done

.PHONY: lock
lock: $(INSTALLED) ## Bring the lock files to the newest versions that work together
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --extra all --extra otel --group dev pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate --no-header \
		--constraint requirements.lock --extra server --extra worker --extra otel --group image pyproject.toml \
		--output-file requirements.image.lock
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--constraint requirements.lock --group bench --output-file requirements.bench.lock

.PHONY: bench
bench: $(INSTALLED) ## Measure how long things take to start
	PYTHONPATH=. $(BIN)/python benchmarks/start.py

.PHONY: bench-engine
bench-engine: $(BENCH_INSTALLED) ## Measure the engine beside librosa and Essentia; MEMORY=1 over ten hours too
	$(BIN)/python -m benchmarks.engine $(if $(MEMORY),--memory) $(if $(JSON),--json "$(JSON)")

.PHONY: bench-service
bench-service: $(BENCH_INSTALLED) ## Measure the service beside FastAPI and Celery; ONLY=submit JSON=file
	$(BIN)/python -m benchmarks.service $(if $(ONLY),--only "$(ONLY)") $(if $(JSON),--json "$(JSON)")

.PHONY: bench-streams
bench-streams: $(INSTALLED) ## Measure live progress: latency, bursts, fan-out, dropped streams
	$(BIN)/python -m benchmarks.streams $(if $(JSON),--json "$(JSON)")

.PHONY: pictures
pictures: $(BENCH_INSTALLED) ## Draw the pictures of README and docs anew
	$(BIN)/python docs/pictures/draw_run.py
	PYTHONPATH=. $(BIN)/python docs/pictures/draw_engine.py

.PHONY: clean
clean: ## Remove what was installed and made
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
