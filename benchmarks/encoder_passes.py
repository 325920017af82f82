r"""Memory of a gradient with encoders in passes, over that of the whole batch.

    python -m benchmarks.encoder_passes --backend torch \
        --json benchmarks/results/encoder_passes_torch.json

CLIP with the encoders of the recipes' small scale and all negatives of a large
batch: at once, in passes (`compile(encoder_passes=)`), and with blocks computed
twice (`rematerialize=True`), each in a process of its own. Memory is, on JAX,
the compiler's count of temporary bytes; elsewhere, the peak of resident memory
during a gradient, after one that is not counted, less what was resident before.
`memory_passes_vs_whole_BACKEND` is a ratio of these, `gradient_apart` the
largest difference between any two gradients' entries.
"""

import argparse
import concurrent.futures
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from benchmarks import cli
from benchmarks.value_loss import forget_the_peak
from benchmarks.value_loss import status

VERSIONS = ("whole", "passes", "rematerialize")
WORDS, LENGTH, SIZE = 8_000, 64, 48


def make_model(version, passes):
    """CLIP at the small scale."""
    import keras

    from keras_ab import backbones
    from keras_ab import data
    from keras_ab import models

    keras.utils.set_random_seed(0)
    twice = version == "rematerialize"
    words = [f"word{i}" for i in range(WORDS - 2)]
    model = models.CLIP(
        backbones.ViT.from_size(
            "tiny",
            image_shape=(SIZE, SIZE, 3),
            patch_size=12,
            rematerialize=twice,
        ),
        backbones.TextTransformer.from_size(
            "tiny",
            vocabulary_size=WORDS,
            sequence_length=LENGTH,
            num_layers=2,
            rematerialize=twice,
        ),
        data.WordTokenizer(words, sequence_length=LENGTH),
        projection_dim=128,
    )
    model.compile("sgd", encoder_passes=passes if version == "passes" else 1)
    return model


def make_batch(rows):
    rng = np.random.default_rng(0)
    return {
        "reward": {
            "image": rng.integers(0, 256, (rows, SIZE, SIZE, 3), "uint8"),
            "text": rng.integers(0, WORDS, (rows, LENGTH), "int32"),
        }
    }


def gradient_of(model, batch):
    """A function that returns the gradients, and temporary bytes or None."""
    import keras

    def loss_of(batch):
        outputs = model(batch, training=True)
        return model.compute_loss(batch, None, outputs, training=True)

    variables = model.trainable_variables
    batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        def scoped(values):
            pairs = list(zip(variables, values))
            with keras.StatelessScope(state_mapping=pairs):
                return loss_of(batch)

        values = [v.value for v in variables]
        compiled = jax.jit(jax.grad(scoped)).lower(values).compile()
        temporary = compiled.memory_analysis().temp_size_in_bytes
        return lambda: jax.block_until_ready(compiled(values)), temporary
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function(
            autograph=False, jit_compile=os.environ.get("MODE") == "compiled"
        )
        def step(batch):
            with tf.GradientTape() as tape:
                loss = loss_of(batch)
            found = tape.gradient(loss, [v.value for v in variables])
            return [tf.convert_to_tensor(g) for g in found]

        return lambda: step(batch), None

    def step():
        model.zero_grad()
        loss_of(batch).backward()
        return [v.value.grad for v in variables]

    return step, None


def measure(version, passes, rows, path):
    """Temporary memory of a gradient in MiB; the gradient into a file."""
    import keras

    step, temporary = gradient_of(make_model(version, passes), make_batch(rows))
    start = status("VmRSS")
    found = step()
    arrays = [np.array(keras.ops.convert_to_numpy(g)) for g in found]
    np.savez(path, *arrays)
    if temporary is not None:
        return temporary / 2**20
    if keras.backend.backend() == "tensorflow":
        # What a step held is not given back: there is no second reading.
        return status("VmHWM") - start
    del found
    ctypes.CDLL(None).malloc_trim(0)
    forget_the_peak()
    before = status("VmRSS")
    step()
    return status("VmHWM") - before


def run(given, version, folder):
    """`measure` in a process of its own.

    On TensorFlow, where compiling is measured with it, that of a few rows is
    subtracted.
    """
    found, gradients = run_alone(given, version, folder, given.rows)
    if given.backend == "tensorflow":
        few = 2 * given.passes
        found -= run_alone(given, version, folder, few)[0]
    return found, gradients


def run_alone(given, version, folder, rows):
    """`measure` with so many rows."""
    command = [sys.executable, "-m", "benchmarks.encoder_passes"]
    command += ["--passes", str(given.passes), "--rows", str(rows)]
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        "KERAS_BACKEND": given.backend,
        "MODE": given.mode,
        # What is freed is returned, and so not counted twice.
        "MALLOC_MMAP_THRESHOLD_": "65536",
        "MALLOC_TRIM_THRESHOLD_": "65536",
    }
    path = pathlib.Path(folder, f"{version}.npz")
    done = subprocess.run(
        [*command, "--version", version, "--gradients", str(path)],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    with np.load(path) as found:
        gradients = [found[name] for name in found.files]
    return json.loads(done.stdout.splitlines()[-1]), gradients


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--backend",
        choices=("jax", "tensorflow", "torch"),
        default=os.environ.get("KERAS_BACKEND", "tensorflow"),
    )
    parser.add_argument(
        "--mode",
        choices=("compiled", "graph"),
        default="compiled",
        help="on TensorFlow: by XLA, as `fit` does by default, or not",
    )
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--version", choices=VERSIONS, help=argparse.SUPPRESS)
    parser.add_argument("--gradients", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.version:
        print(measure(given.version, given.passes, given.rows, given.gradients))
        return
    # Side by side: none of it is a time.
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        found = pool.map(lambda v: run(given, v, folder), VERSIONS)
        runs = dict(zip(VERSIONS, found))
    memory = {version: found for version, (found, _) in runs.items()}
    apart = {
        version: max(
            float(np.abs(a - b).max())
            for a, b in zip(gradients, runs["whole"][1])
        )
        for version, (_, gradients) in runs.items()
    }
    results = {
        "backend": given.backend,
        "mode": given.mode if given.backend == "tensorflow" else None,
        "passes": given.passes,
        "rows": given.rows,
        f"memory_passes_vs_whole_{given.backend}": memory["passes"]
        / memory["whole"],
        f"memory_rematerialize_vs_whole_{given.backend}": memory[
            "rematerialize"
        ]
        / memory["whole"],
        "gradient_apart": apart,
        "gradient_largest": max(
            float(np.abs(g).max()) for g in runs["whole"][1]
        ),
        "memory_mib": memory,
    }
    print(json.dumps(results))
    cli.keep(results, given.json)


if __name__ == "__main__":
    main()
