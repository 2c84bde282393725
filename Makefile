# One virtual environment, installed from the lock file, serves every target.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export COURSE_BUDGET ?= laptop

.PHONY: help install demo lab test lint format release corpus soak bench page lock clean

help:
	@echo "make demo     install, release the labs, grade a small example class, write feedback and a report"
	@echo "make test     install, lint, and run every test"
	@echo "make lab      install and open JupyterLab on the list of the labs"
	@echo "make lint     ruff, mypy, import layers, spelling, released files up to date"
	@echo "make format   let ruff format the code"
	@echo "make release  regenerate notebooks/ and course_utils/solved/ from solutions/"
	@echo "make corpus   every right and wrong answer, mutants, and all tolerances: 45 minutes"
	@echo "make soak     a hundred kills, crashes and damaged files, and every hostile submission: two hours"
	@echo "make bench    run every benchmark behind README's figures"
	@echo "make page     the labs with their figures as a static site, in build/page: five minutes"
	@echo "make lock     renew requirements.lock from pyproject.toml"

# Compiled once here: otherwise every kernel that grades a submission may compile torch anew.
install: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"This course needs Python 3.11 or newer; {sys.executable} is {v.major}.{v.minor}. Install a newer one and run: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: install
	COURSE_BUDGET=smoke $(BIN)/course demo

lab: install
	JUPYTER_CONFIG_PATH=$(CURDIR)/jupyter $(BIN)/jupyter lab --notebook-dir=notebooks

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/course release --check

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One process for each core; torch itself then keeps to one thread (tests/conftest.py).
test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

release: install
	$(BIN)/course release

corpus: install
	$(BIN)/python tests/corpus/run.py
	ATEN_CPU_CAPABILITY=default MKL_ENABLE_INSTRUCTIONS=SSE4_2 ONEDNN_MAX_CPU_ISA=SSE41 \
		$(BIN)/python -m pytest -n auto tests/corpus/test_corpus.py
	$(BIN)/python tests/corpus/margins.py

soak: install
	COURSE_ROUNDS=100 $(BIN)/python -m pytest -n auto --dist worksteal tests/grading/test_kill_rounds.py \
		tests/grading/test_gradebook_crash.py tests/grading/test_intake.py
	$(BIN)/python tests/hostile/run.py

bench: install
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

page: install
	COURSE_BUDGET=smoke $(BIN)/python -m grading.page

lock: install
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes \
		--python-version 3.11 --quiet --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
