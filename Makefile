# make demo   trains ABCLIP on the built-in scenes and shows what it learnt
# make test   runs the tests on JAX, TensorFlow and PyTorch
#
# Both create .venv and install what they need. Variables:
#   PYTHON=python3.12    another interpreter (3.11 or newer)
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

.PHONY: demo test test-slow lint format clean $(BACKENDS:%=test-%)

demo: $(VENV)/demo $(if $(KERAS_BACKEND),$(VENV)/backend-$(KERAS_BACKEND),)
	$(BIN)/python -m recipes.demo $(if $(SMOKE),--smoke,) $(ARGS)

test: $(BACKENDS:%=test-%)

$(BACKENDS:%=test-%): test-%: $(VENV)/test
	@echo "== $* =="
	KERAS_BACKEND=$* $(BIN)/python -m pytest $(ARGS)

test-slow: $(VENV)/test
	for backend in $(BACKENDS); do echo "== $$backend =="; \
	KERAS_BACKEND=$$backend $(BIN)/python -m pytest -m slow $(ARGS) \
	|| exit 1; done

lint: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) runs

$(BIN)/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), \
	"keras_ab needs Python 3.11 or newer (make PYTHON=...)"'
	$(PYTHON) -m venv $(VENV)

# keras_ab itself runs from this folder; only its dependencies go to .venv.
$(VENV)/demo: $(INSTALLABLE) | $(BIN)/python
	$(PIP) -c constraints.txt -e '.[cpu,demo]'
	touch $@

# PyTorch first, so that nothing else chooses its build.
$(VENV)/backend-torch: constraints.txt | $(BIN)/python
	$(PIP) $(TORCH) $(shell grep '^torch==' constraints.txt)
	touch $@

$(VENV)/backend-jax: $(INSTALLABLE) | $(BIN)/python
	$(PIP) -c constraints.txt -e '.[jax]'
	touch $@

$(VENV)/backend-tensorflow: $(VENV)/demo
	touch $@

$(VENV)/test: $(INSTALLABLE) $(VENV)/backend-torch | $(BIN)/python
	$(PIP) -c constraints.txt -e '.[cpu,jax,test]'
	touch $@
