# The tasks of Noema.  Each prepares what it needs; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 0..99
COUNT ?= 10000
GRAPHS ?= 3000
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench bench-gas accuracy conformance hostile cross-isa exhaustive simulate e2e testnet testnet-down lock clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make the environment in .venv/ from the lock file

$(READY): requirements.lock pyproject.toml tests/support/prepare.sh
	@PYTHON="$(PYTHON)" sh tests/support/prepare.sh
	@touch $(READY)

demo: setup ## Play the whole story on four validators and check every promise
	@$(BIN)/python examples/digits/demo.py

test: setup ## Run all tests (under 5 minutes on two cores)
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: setup ## Lint, format, types, house rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/architecture

format: setup ## Write the code in the agreed form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## Measure, and print ratios against named peers of the same run
	@$(BIN)/python tests/benchmarks/run.py

bench-gas: setup ## Measure operators across sizes against their gas
	@$(BIN)/python -m tests.benchmarks.bench_gas

accuracy: setup ## Compare the errors of the fast engine and of onnxruntime against binary64
	@$(BIN)/python tests/accuracy/run.py

conformance: setup ## Run ONNX's backend suite through both engines and record what passed
	@$(BIN)/python tests/conformance/run.py --record

hostile: setup ## Put hostile models (COUNT=10000) and random graphs (GRAPHS=3000) through all of it
	@$(BIN)/python tests/hostile/run.py --count $(COUNT) --graphs $(GRAPHS)

cross-isa: setup ## Run the same programs on emulated processors: one hash each (an hour, 1 GB to fetch)
	@$(BIN)/python tests/cross_isa/run.py

exhaustive: setup ## Prove every function over all 2^32 inputs, NAMES="exp sin" or all (an hour)
	@PYTHONPATH=. $(BIN)/python tests/exhaustive/run.py $(NAMES)

simulate: setup ## Run the consensus simulator, SEEDS=0..99 or one seed
	@PYTHONPATH=. $(BIN)/python tests/simulation/run.py --seeds $(SEEDS)

e2e: setup ## Kill and restart real processes for longer than make test does
	@NOEMA_E2E_LONG=1 $(BIN)/python -m pytest tests/e2e --timeout 900

testnet: setup ## Start four validators on this machine and leave them running
	@$(BIN)/noema testnet up

testnet-down: setup ## Stop them
	@$(BIN)/noema testnet down

lock: setup ## Pin the dependencies of pyproject.toml again
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --extra dev pyproject.toml -o requirements.lock

clean: ## Remove the environment and everything made by running
	rm -rf .venv .demo .testnet .pytest_cache .mypy_cache .ruff_cache .hypothesis build noema.egg-info
