# make demo   trains ABCLIP on the built-in scenes and shows what it learnt
# make test   runs the tests on JAX, TensorFlow and PyTorch
# make findings, make findings-quick   ask for the paper's findings
# make clean  removes the environment; runs/ stays, it may hold hours of work
#
# All create .venv and install what they need. Variables:
#   PYTHON=python3.12    another interpreter (3.11 to 3.13)
#   SMOKE=1              `make demo` at a size that only shows that it runs
#   KERAS_BACKEND=jax    the backend of `make demo`
#   TORCH_INDEX=URL      where to get PyTorch from, such as its index of CPU
#                        builds; PyPI's Linux build brings CUDA along

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
BACKENDS := jax tensorflow torch
INSTALLABLE := setup.py constraints.txt pyproject.toml
TORCH := $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX),)
export TF_CPP_MIN_LOG_LEVEL ?= 3
# Huge pages, where the system leaves them to programs: JAX makes its buffers
# anew at each step, and page faults take much of a large step on CPUs.
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1

.PHONY: demo findings findings-quick test test-slow docs lint format clean \
	$(BACKENDS:%=test-%) $(BACKENDS:%=test-slow-%)

demo: $(VENV)/demo $(if $(KERAS_BACKEND),$(VENV)/backend-$(KERAS_BACKEND),)
	$(BIN)/python -m recipes.demo $(if $(SMOKE),--smoke,) $(ARGS)

# The paper's findings at small scale: hours; half an hour. `make findings
# ARGS="T2 F5"` for some of them.
findings: $(VENV)/demo
	$(BIN)/python -m findings $(ARGS)

findings-quick: $(VENV)/demo
	$(BIN)/python -m findings --budget quick $(ARGS)

# A process a backend, all at once, so that two cores are busy to the end; the
# slow tests, which start processes of their own, two at a time. Every backend
# is run, also when another failed, and shows what it printed when it has ended.
test: SIDE_BY_SIDE := 3
test-slow: SIDE_BY_SIDE := 2
test test-slow: $(VENV)/test
	@echo "$(BACKENDS), $(SIDE_BY_SIDE) at a time; each reports at its end"
	@$(MAKE) --no-print-directory --keep-going --jobs=$(SIDE_BY_SIDE) \
	--output-sync=target \
	$(BACKENDS:%=$@-%)

$(BACKENDS:%=test-%): test-%: $(VENV)/test
	@echo "== $* =="
	@KERAS_BACKEND=$* $(BIN)/python -m pytest $(ARGS)

$(BACKENDS:%=test-slow-%): test-slow-%: $(VENV)/test
	@echo "== $* =="
	@KERAS_BACKEND=$* $(BIN)/python -m pytest -m slow $(ARGS)

# The API reference, in build/site; a warning is an error.
docs: $(VENV)/docs
	$(BIN)/python -m mkdocs build

lint: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache build

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or \
	sys.exit("needs Python 3.11 to 3.13 (no later build of this TensorFlow): \
	make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)

# An editable installation: .venv is only touched again when what it holds
# changes.
$(VENV)/demo: $(INSTALLABLE) | $(BIN)/pip
	$(PIP) -c constraints.txt -e '.[cpu,demo]'
	touch $@

# PyTorch first, so that nothing else chooses its build.
$(VENV)/backend-torch: constraints.txt | $(BIN)/pip
	$(PIP) $(TORCH) $(shell grep '^torch==' constraints.txt)
	touch $@

$(VENV)/backend-jax: $(INSTALLABLE) | $(BIN)/pip
	$(PIP) -c constraints.txt -e '.[jax]'
	touch $@

$(VENV)/backend-tensorflow: $(VENV)/demo
	touch $@

$(VENV)/docs: $(INSTALLABLE) | $(BIN)/pip
	$(PIP) -c constraints.txt -e '.[docs]'
	touch $@

$(VENV)/test: $(INSTALLABLE) $(VENV)/backend-torch | $(BIN)/pip
	$(PIP) -c constraints.txt -e '.[cpu,jax,test]'
	touch $@
