# Set-up, tests and the demo. Everything goes into .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo man test lint kernel-test mutation bench clean

# The main job on the embedded sample. It finds things, so gfpcheck exits 1: that is its success.
demo: $(VENV)/.installed
	$(BIN)/gfpcheck fixtures/linux/fs/minifs fixtures/linux/drivers/minidrv || test $$? -eq 1

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not kernel"

# The manual page, build/man/man1/gfpcheck.1: `man -M build/man gfpcheck` shows it.
man: $(VENV)/.installed
	mkdir -p build/man/man1
	$(BIN)/gfpcheck man > build/man/man1/gfpcheck.1

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# GFPCHECK_KERNELS names a folder that holds linux-source-6.12 and linux-source-6.1.
kernel-test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m kernel

# Recall: how many of SAMPLE correct sites, made hazardous one at a time, are reported? SEED draws them: change it for
# every report. The kernels are those of GFPCHECK_KERNELS, or get installed.
SEED ?= 1
SAMPLE ?= 60
KERNEL ?= 6.12
KERNELS = $(or $(GFPCHECK_KERNELS),build/kernels)
mutation: $(VENV)/.installed-dev
	.ci/kernels $(KERNELS)
	PYTHONPATH=tests $(BIN)/python -m mutation $(KERNELS)/linux-source-$(KERNEL) --seed $(SEED) --sample $(SAMPLE) \
		--json build/mutation-$(KERNEL)-$(SEED).json

# Cost: the first directory of BENCH cold, unchanged and with one file touched (in a copy), the others cold, and peers.
BENCH ?= fs/xfs fs/ext4 drivers/md
bench: $(VENV)/.installed-dev
	.ci/kernels $(KERNELS)
	PYTHONPATH=tests $(BIN)/python -m bench $(KERNELS)/linux-source-$(KERNEL) $(BENCH)

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gfpcheck needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help:
	@echo 'make demo         runs gfpcheck on the miniature kernel in fixtures/linux'
	@echo 'make man          makes the manual page, build/man/man1/gfpcheck.1'
	@echo 'make test         runs the tests; make lint: ruff, mypy, layers'
	@echo 'make kernel-test  runs those that take kernels: of GFPCHECK_KERNELS, or installed (Debian)'
	@echo 'make mutation     measures recall: SEED=1 SAMPLE=60 KERNEL=6.12'
	@echo 'make bench        measures cost: BENCH="fs/xfs fs/ext4 drivers/md" KERNEL=6.12'
