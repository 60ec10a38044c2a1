# make demo    the shop on Celery, on Dramatiq and without a broker, in figures
# make test    everything: services, checks and the whole suite
# make quick   without RabbitMQ, and with Celery for both engines, in about 90 s
# make check   formatting, types and the floors of the house
# make faults  every fault on every combination, and the deadlines as promised;
#              make faults ONLY=F6 SEEDS=1 ORDERS=300 is a part of it
# make soak    chosen tests N times beside two busy processors:
#              make soak N=30 TEST="tests/core/test_lease.py -k blocks"
# make oracle  every slot of 500 random schedules in ten zones against a minute walk
# make bench   side by side with stock Celery, stock Dramatiq and their schedulers
# make lock    pin again what pyproject.toml asks for (needs uv)
#
# PYTHON=/path/to/python chooses the interpreter; each version has its own environment.

# Tried, not only found: a version manager's command may be there and refuse to run.
ifndef PYTHON
PYTHON := $(shell for name in python3.11 python3; do \
	$$name -c '' 2>/dev/null && command -v $$name && break; done)
endif
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ifeq ($(VERSION),)
$(error PYTHON=$(PYTHON) does not run: give the path of a Python, PYTHON=/path/to/python)
endif
LOCK := requirements/python$(VERSION).txt
VENV := .venv-$(VERSION)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# They wait more than they compute: four processes keep two cores busy, or two where
# most tests start none. The tests of a combination stay in one of them: its workers
# start once. They come in the order of their files, for they leave rows that tests of a
# database of their own would find.
SPREAD := --dist loadgroup --no-loadscope-reorder --durations 15

# The tests start hundreds of processes: each would compile all of our code again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test quick check faults soak oracle bench lock
.DELETE_ON_ERROR:

$(READY): $(LOCK)
	@test ! -L $(VENV) || { echo "$(VENV) is a link, and make would empty the folder" \
		"that it leads to: remove it." >&2; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --requirement $(LOCK)
	@touch $(READY)

requirements/python%.txt:
	@echo "No $@: Python $* is not supported. There are:" requirements/*.txt >&2
	@echo "Choose one with make ... PYTHON=/path/to/python3.11" >&2
	@exit 1

demo: $(READY)
	@$(BIN)/python -m project.demo $(if $(EXIT),--exit)

test: $(READY)
	$(BIN)/python -m tests.services.install
	$(MAKE) --no-print-directory check
	TEST_MINUTES=45 $(BIN)/python -m pytest -n 4 $(SPREAD)
	TEST_MINUTES=15 TEST_DATABASE=postgres $(BIN)/python -m pytest -m database -n 2 $(SPREAD)

quick: $(READY)
	$(BIN)/python -m pytest -m "not slow" -k "not rabbitmq and not dramatiq_valkey"

check: $(READY)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check
	PYTHONPATH=. $(BIN)/mypy --no-error-summary
	PYTHONPATH=. $(BIN)/lint-imports --no-logo > $(VENV)/imports.log || \
		{ cat $(VENV)/imports.log; exit 1; }
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	$(BIN)/python manage.py check --fail-level WARNING

faults: $(READY)
	$(BIN)/python -m tests.services.install --faults
	TEST_PATIENCE=1 FAULTS_JSON=var/faults.json \
		ONLY="$(ONLY)" SEEDS="$(SEEDS)" ORDERS="$(ORDERS)" \
		$(BIN)/python -m pytest $(if $(ONLY),tests/faults/test_faults.py,-k "outages or workers or faults")

soak: $(READY)
	$(BIN)/python -m tests.services.install
	$(BIN)/python -m tests.soak $(or $(N),30) $(TEST)

oracle: $(READY)
	$(BIN)/python -m tests.schedules

bench: $(READY)
	$(BIN)/python -m tests.services.install
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.schedules

lock:
	for version in 3.11 3.12 3.13; do \
		uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
			--no-annotate --python-version $$version --all-extras pyproject.toml \
			--output-file requirements/python$$version.txt || exit 1; \
	done
