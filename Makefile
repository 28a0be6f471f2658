# Two commands do everything on a machine with Python 3.11 to 3.13 and make: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test test-all lint bench chromium clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo  ## write the sample, read its boxes, test them, make the audit page
	$(BIN)/biaskit demo demo

test: $(VENV)/.dev  ## the tests, without the slow ones
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not e2e"

test-all: $(VENV)/.dev chromium lint  ## every test, real browser included
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.dev  ## the claims of speed, each a ratio from one run
	for script in benchmarks/uniformity.py benchmarks/effects.py benchmarks/whole_test.py benchmarks/sweeps.py benchmarks/shiftability.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# The tests of pages use Debian's Chromium; where it cannot be had they skip and say so.
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
	  --no-install-recommends chromium fonts-dejavu >/dev/null; }; } \
	  || echo "no chromium: the tests of pages will be skipped"

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "biaskit needs Python 3.11 to 3.13; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) --editable '.[sample,sweeps]'
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.demo

clean:  ## remove what make made
	rm -rf $(VENV) demo build dist
