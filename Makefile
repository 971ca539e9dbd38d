# Everything for one machine. `make help` lists the targets. No root is needed, nothing leaves the
# checkout: .venv holds the packages, .tocsin the servers, their data and the logs.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST_ARGS ?=
# On every core; without Schemathesis' plugin, which is slow to load and has no test there.
ABREAST := --numprocesses auto --dist worksteal -p no:schemathesis
BENCH_ARGS ?=
export TOCSIN_DATA ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help install demo test unit lint bench pin clean test-cluster test-images

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo ALERTS=path    plays real packets (a file, a folder, a tar) instead"

install: $(INSTALLED) ## Make .venv with everything in it (the others do it by themselves)

$(INSTALLED): pyproject.toml constraints.txt packages-without-dependencies.txt
	@PYTHON="$(PYTHON)" deploy/local/check_tools.sh
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing packages into $(VENV): once, a few minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt --editable ".[all,local,dev]"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --requirement packages-without-dependencies.txt
	@touch $@

# The clients and readers that others have, for the tests that show they understand us.
$(VENV)/.clients: $(INSTALLED)
	@echo "Installing the clients that tests try into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt --editable ".[clients-check,hats-check]"
	@touch $@

demo: $(INSTALLED) ## Start everything, play a simulated night, show what comes out
	@$(BIN)/tocsin demo $(ALERTS)

test: $(VENV)/.clients lint unit ## Lint, then unit, integration, system and fault tests
	$(BIN)/python -m pytest tests/unit -m long $(ABREAST) $(PYTEST_ARGS)
	$(BIN)/python -m pytest tests/integration tests/system tests/faults $(PYTEST_ARGS)

unit: $(INSTALLED) ## Unit tests but the long ones: no Kafka, no network, a minute
	$(BIN)/python -m pytest tests/unit -m "not long" $(ABREAST) $(PYTEST_ARGS)

test-cluster: $(INSTALLED) ## Manifests and autoscaling on a real Kubernetes control plane
	deploy/cluster/build.sh .tocsin/cluster
	TOCSIN_CLUSTER=.tocsin/cluster $(BIN)/python -m pytest tests/cluster -s $(PYTEST_ARGS)

test-images: $(INSTALLED) ## Build every image and run it (buildah, podman, mmdebstrap; root)
	TOCSIN_TEST_IMAGES=$${TOCSIN_TEST_IMAGES:-1} $(BIN)/python -m pytest tests/images -s $(PYTEST_ARGS)

lint: $(INSTALLED) ## ruff, mypy and the walls between services
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED) ## Measure the mesh from cold: alerts/s, ages, CPU per alert
	@$(BIN)/python -m bench.mesh $(BENCH_ARGS)

pin: $(INSTALLED) ## Write constraints.txt from what is installed in .venv
	@{ echo '# Versions that are known to work together, for Python 3.11; `make pin` writes them anew.'; \
	   $(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==[A-Za-z0-9.!+-]+$$'; \
	} > constraints.new
	@mv constraints.new constraints.txt

clean: ## Stop everything; delete .venv, .tocsin (data, logs, Kafka's jars) and caches
	@test ! -x $(BIN)/tocsin || $(BIN)/tocsin down
	rm -rf $(VENV) .tocsin .bench dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache \
	    .hypothesis
	find services shared tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
