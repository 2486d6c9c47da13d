# `make run` and `make test` need python3 (3.11 or newer) and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test check docs bench bench-short clean

run: $(VENV)/run.stamp
	mkdir -p runs
	cd runs && ../$(BIN)/hfcbench run --suite classification

# Files of tests side by side on all cores, each process on one; `pytest tests/...` alone is as quick for a few.
test: $(VENV)/test.stamp check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m hfcbench.reference_pages --check

# The documentation as a site; site/index.html can be opened as a file. What Material says about a next
# version of MkDocs is nothing that a reader of this site has to know.
docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# All of it takes most of an hour. Parts, such as benchmarks/test_training.py, replace their tables.
bench: $(VENV)/bench.stamp
	rm -f benchmarks/bench_report.json
	$(BIN)/python -m pytest benchmarks --benchmark-only --write-report

# Once each, ratios beside the committed ones; fails where a benchmark breaks or is missing only.
bench-short: $(VENV)/bench.stamp
	$(BIN)/python -m pytest benchmarks --benchmark-only --short

clean:
	rm -rf $(VENV) runs site

$(VENV)/python.stamp:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hfcbench needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	$(INSTALL) --editable .
	touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp plugins/hfcbench-jpeg/pyproject.toml plugins/hfcbench-torchattacks/pyproject.toml plugins/hfcbench-detectron2/pyproject.toml plugins/hfcbench-ray/pyproject.toml
	$(INSTALL) --editable '.[test]' --editable plugins/hfcbench-jpeg --editable plugins/hfcbench-ray
	# torchattacks asks for a version of requests that others cannot use, and never imports it.
	$(INSTALL) --no-deps torchattacks==3.5.1
	$(INSTALL) --no-deps pyautoattack==0.2.0
	$(INSTALL) --no-deps --editable plugins/hfcbench-torchattacks
	# detectron2 itself is in no index; without it, those of the plugin's tests that need it skip.
	$(INSTALL) --no-deps --editable plugins/hfcbench-detectron2
	touch $@

$(VENV)/docs.stamp: $(VENV)/run.stamp
	$(INSTALL) --editable '.[docs]'
	touch $@

$(VENV)/bench.stamp: $(VENV)/test.stamp
	$(INSTALL) --editable '.[bench]'
	touch $@
