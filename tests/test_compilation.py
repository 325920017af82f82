"""Compiled steps that outlive their process."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest

from keras_ab import compilation

ROOT = pathlib.Path(__file__).parent.parent
BACKEND = keras.backend.backend()
PROGRAM = """
import json, sys, jax
from keras_ab import compilation

events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
jax.jit(lambda x: x - 1)(1.0)
assert compilation.keep(sys.argv[1])
value = jax.jit(lambda x: jax.numpy.sin(3 * x) @ x)(jax.numpy.ones((4, 4)))
hits = events.count("/jax/compilation_cache/cache_hits")
print(json.dumps([hits, float(value.sum())]))
"""


def run(folder):
    names = ("COMPILATION", "PERSISTENT")
    kept = {k: v for k, v in os.environ.items() if not any(map(k.count, names))}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=ROOT,
        env=kept,
        check=True,
        capture_output=True,
        text=True,
    )


def found(done):
    return json.loads(done.stdout.splitlines()[-1])


def test_a_folder_that_was_chosen_stays(tmp_path):
    # The tests' own, on JAX.
    assert compilation.keep(tmp_path / "other") == (BACKEND == "jax")
    assert not list(tmp_path.iterdir())
    if BACKEND == "jax":
        import jax

        chosen = os.environ["JAX_COMPILATION_CACHE_DIR"]
        assert jax.config.jax_compilation_cache_dir == chosen


@pytest.mark.skipif(BACKEND != "jax", reason="JAX's")
@pytest.mark.slow
def test_another_process_compiles_no_more(tmp_path):
    nothing, value = found(run(tmp_path))
    assert nothing == 0
    again = run(tmp_path)
    hits, same = found(again)
    assert hits >= 2 and same == value
    assert "machine" not in again.stderr, again.stderr
    # What a kill cut short.
    for path in tmp_path.glob("*-cache"):
        path.write_bytes(path.read_bytes()[:20])
    hits, same = found(run(tmp_path))
    assert hits == 0 and same == value
