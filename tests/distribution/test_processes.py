"""Two processes, each fed its part of a batch, train as one does."""

import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.distribution import devices

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        keras.backend.backend() != "jax", reason="several processes are JAX's"
    ),
]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def train(count, folder, steps):
    """Trains in so many processes, and gives the arrays that each left."""
    folder.mkdir(exist_ok=True)
    port, module = free_port(), "tests.distribution.processes"
    started = [
        subprocess.Popen(
            [sys.executable, "-m", module]
            + [str(v) for v in (count, index, port, folder, steps)],
            cwd=devices.ROOT,
            # One device to a process, whatever the tests' own has.
            env={**os.environ, "XLA_FLAGS": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(count)
    ]
    for process in started:
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors[-4000:]
    return [np.load(folder / f"{index}.npz") for index in range(count)]


def test_two_processes(tmp_path):
    (one,) = train(1, tmp_path / "one", 3)
    # Cut off after two steps, and then gone on with.
    train(2, tmp_path / "two", 2)
    first, second = train(2, tmp_path / "two", 3)
    assert len(one) > 50
    for name in one:
        np.testing.assert_array_equal(first[name], second[name])
        # The monitor's figure is a small difference of entropies.
        tolerance = 1e-4 if name == "information" else 1e-5
        np.testing.assert_allclose(first[name], one[name], atol=tolerance)
