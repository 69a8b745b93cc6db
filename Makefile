# SPDX-License-Identifier: MIT
# The first command sets up .venv; the following ones find it ready and start at once.

PYTHON ?= python3.11
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready

# What the bpy wheel leaves to the system, as Debian and Ubuntu call it.
LIBRARIES := libgl1 libice6 libsm6 libx11-6 libxext6 libxfixes3 libxi6 libxkbcommon0 libxrender1

.PHONY: demo test test-long lint format test-hosts screenshots strips docs wheel dist libraries clean

demo: $(READY)
	$(BIN)/maquette demo

# Two tests at a time, file by file: each worker has a Blender, a torch and servers of its own. What is slow is named.
test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations 15

# What takes minutes by nature.
test-long: $(READY)
	$(BIN)/python -m pytest -m long

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The other Blender versions and the real window; every version that is absent is named.
test-hosts: $(READY)
	bash tests/hosts.sh

# The pictures of docs/blender, from a real window and the model that ships: make screenshots BLENDER=PATH
# All of them, or those of some scenarios: SCENARIOS="live orbit"
screenshots: $(READY)
	@test -n "$(BLENDER)" || { echo "Which Blender? make screenshots BLENDER=/path/to/blender"; exit 1; }
	BLENDER="$(BLENDER)" $(BIN)/python tests/addon/window/screenshots.py $(SCENARIOS)

# The strips of docs/edits, painted by the model that ships: all, or STRIPS="move real"
strips: $(READY)
	$(BIN)/python -m benchmarks.edits.strips docs/edits $(STRIPS)

# The documentation as a site, in out/docs; a link that leads nowhere, or a name without a docstring's page, ends it.
docs: $(READY)
	$(BIN)/mkdocs build --strict --quiet

# The method alone, with the model that ships, for pip. What an earlier building left would be built in.
wheel: $(READY)
	rm -rf build/sg_core
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist ./sg_core

# What a release offers: the server's wheel with Toybox inside, and the add-on's zip, which knows the wheel by its hash.
# Every date in the wheel is the commit's, so that the same commit makes the same wheel.
dist: $(READY)
	rm -rf build/lib build/bdist.* dist/maquette-*.whl
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
	    $(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/python -m addon --server-wheel dist/maquette-*.whl

# For root on Debian or Ubuntu; quick where they are there.
libraries:
	@dpkg --status $(LIBRARIES) >/dev/null 2>&1 || { \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends $(LIBRARIES); }

clean:
	rm -rf .venv .hosts out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || { \
	    echo "Maquette needs Python 3.11 with venv, and '$(PYTHON)' is not that."; \
	    echo "On Debian: apt-get install python3.11-venv; elsewhere: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -c "import bpy" || { \
	    echo "Blender's Python module (bpy) cannot start: this system lacks libraries that it needs."; \
	    echo "On Debian or Ubuntu: sudo make libraries   (it installs $(LIBRARIES))"; exit 1; }
	@touch $@
