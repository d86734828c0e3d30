PY ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run bench assets install test faults check lock

run: install
	$(BIN)/wuzhang demo
	$(BIN)/wuzhang serve

install: $(VENV)/.ok

$(VENV)/.ok: requirements-dev.txt pyproject.toml
	@$(PY) -c 'import sys; sys.exit("需要 Python 3.11 或更高版本") if sys.version_info < (3, 11) else 0'
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --clear --python $(PY) $(VENV) && uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt && \
	  uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  { $(PY) -m venv --clear $(VENV) || { echo "请先安装 python3-venv" >&2; exit 1; }; } && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

assets:
	cd web/frontend && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs

bench: install
	$(BIN)/python -m tests.bench.run

test: install
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

faults: install
	$(BIN)/python -m tests.faults.storm

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(MAKE) test

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev pyproject.toml -o requirements-dev.txt
