# make run    install, index the documentation of the product, open the app on it;
#             without a terminal ask it a question instead
# make test   install, run the whole suite
# make check  install, lint, types, import contracts, the suite under coverage
#
# Only Python >= 3.11 with its venv module is needed.

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed

QUESTION := How does persona-moe find the evidence for an answer?
SAMPLE := docs
DEMO := $(BIN)/persona-moe --workspace .workspace

# Half of what collecting takes is compiling the tests, unless what was compiled may be kept for the next run.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto -q

.DELETE_ON_ERROR:
.PHONY: run test check lint types contracts coverage bench acceptance pictures lock demo clean

run: $(INSTALLED)
	@$(BIN)/python -m compileall -q engine tui
	@test -d .workspace || $(DEMO) init .workspace
	@$(DEMO) index $(SAMPLE)
	@if [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && [ "$${TERM:-dumb}" != dumb ]; then exec $(DEMO); fi; \
	printf '\nQuestion: %s\n\n' "$(QUESTION)"; $(DEMO) ask "$(QUESTION)"

test: $(INSTALLED)
	@$(BIN)/python -m compileall -q engine tui
	@$(PYTEST)

check: lint types contracts coverage

lint: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED)
	@$(BIN)/python -m mypy

contracts: $(INSTALLED)
	@$(BIN)/lint-imports --no-logo

coverage: $(INSTALLED)
	@$(BIN)/python -m compileall -q engine tui
	@$(BIN)/coverage erase
	@$(PYTEST) --cov --cov-report=term

bench: $(INSTALLED)
	@for f in benchmarks/[a-z]*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

# The app in terminals of its own, against what it promises; takes about ten minutes. CHECKS="4 5" runs those.
acceptance: $(INSTALLED)
	@$(BIN)/python benchmarks/app/run.py $(CHECKS)

# The pictures in pictures/, of the app as it is now.
pictures: $(INSTALLED)
	@$(BIN)/python benchmarks/app/pictures.py

# Asks the package index for the newest versions that pyproject.toml allows. The file names no index.
lock: $(INSTALLED)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes \
	    --custom-compile-command "make lock" --python-version 3.11 --all-extras pyproject.toml -o requirements.lock

# Records the run that ships in snapshots/, on the documentation as it is now.
demo: $(INSTALLED)
	@rm -rf .workspace/demo && $(BIN)/persona-moe --workspace .workspace/demo index $(SAMPLE)
	@$(BIN)/persona-moe --workspace .workspace/demo ask --no-model --no-learn "$(QUESTION)"
	@cp .workspace/demo/snapshots/*.jsonl.gz snapshots/demo.jsonl.gz && rm -rf .workspace/demo

clean:
	rm -rf $(VENV) .workspace build dist .coverage .coverage.*

# The lock is the whole resolution: left to resolve again, an older pip takes the newest "coverage[toml]" over the
# pinned "coverage" and then refuses it for want of a hash.
$(LOCKED): requirements.lock
	@python=$$(for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	    if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done); \
	if [ -z "$$python" ]; then echo "persona-moe needs Python 3.11 or newer; none was found on the PATH" >&2; exit 1; fi; \
	if [ ! -x $(BIN)/python ]; then $$python -m venv $(VENV) || { \
	    echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; fi
	@echo "Installing the pinned dependencies into $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
