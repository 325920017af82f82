r"""What the value loss costs over many annotations: whole and in chunks.

    python -m benchmarks.value_loss --backend jax --json runs/value_loss.json

One value and its gradients with respect to actions, annotations, scale and
bias, by the plain functions (`ops.bellman_target`, `losses.bellman_value`) and
by `losses.chunked_bellman_value`, each in fresh processes that take turns.
`memory_ratio` is the chunked version's peak memory over the plain one's: peak
resident memory of a process less what it held once its inputs were made.
`time_ratio` is the median of the times' ratios over the turns. Both must do
the same: the processes' losses and gradients are compared.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

import numpy as np

from benchmarks import cli

VERSIONS = ("plain", "chunked")


def status(key):
    """A field of this process' memory, in MiB."""
    with open("/proc/self/status") as stream:
        text = stream.read()
    return int(re.search(rf"{key}:\s+(\d+) kB", text)[1]) / 1024


def forget_the_peak():
    """Makes VmHWM start again at what is held now, where Linux lets us."""
    try:
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
    except OSError:
        pass


def make_inputs(batch, views, annotations, dim):
    """Two Q functions and a reward, as tensors."""
    from keras import ops

    rng = np.random.default_rng(0)

    def units(*shape):
        x = rng.standard_normal((*shape, dim), "float32")
        x /= np.sqrt(np.einsum("...d,...d->...", x, x))[..., None]
        return ops.convert_to_tensor(x)

    def q_function():
        actions, vectors = units(batch, views, views), units(annotations)
        scale = ops.convert_to_tensor(10.0)
        bias = ops.convert_to_tensor(-float(np.log(annotations)))
        return actions, vectors, scale, bias

    reward = rng.random((batch, views, annotations), "float32")
    reward /= reward.sum(-1, keepdims=True)
    return q_function(), q_function(), ops.convert_to_tensor(reward)


def loss_of(version, chunk):
    """The mean loss of a version."""
    from keras import ops

    from keras_ab import losses
    from keras_ab.ops import bellman_target

    def q_logits(actions, annotations, scale, bias):
        cosines = ops.matmul(actions, ops.transpose(annotations))
        return scale * cosines + bias

    def plain(online, target, reward):
        backup = bellman_target(reward, q_logits(*target))
        return ops.mean(losses.bellman_value(q_logits(*online), backup))

    def chunked(online, target, reward):
        return ops.mean(
            losses.chunked_bellman_value(
                online, target, reward, annotations_per_chunk=chunk
            )
        )

    return {"plain": plain, "chunked": chunked}[version]


def stepper(loss, mode):
    """A function from inputs to the loss and the four gradients."""
    backend = os.environ["KERAS_BACKEND"]
    if backend == "jax":
        import jax

        step = jax.value_and_grad(loss)
        step = step if mode == "eager" else jax.jit(step)
        return lambda *inputs: jax.block_until_ready(step(*inputs))
    if backend == "tensorflow":
        import tensorflow as tf

        def step(online, target, reward):
            with tf.GradientTape() as tape:
                tape.watch(online)
                value = loss(online, target, reward)
            return value, tape.gradient(value, online)

        if mode != "eager":
            step = tf.function(step, jit_compile=mode == "compiled")
        return step

    def step(online, target, reward):
        online = [x.detach().requires_grad_() for x in online]
        value = loss(online, target, reward)
        value.backward()
        return value.detach(), [x.grad for x in online]

    return step


def measure(options):
    """One process' part: a version's memory, seconds and results."""
    if os.environ["KERAS_BACKEND"] == "torch":
        import torch

        torch.set_num_threads(options.threads)
    from keras import ops

    step = stepper(loss_of(options.version, options.chunk), options.mode)
    # The libraries' own first steps, at a size that needs no memory.
    step(*make_inputs(1, 2, 8, 4))
    inputs = make_inputs(
        options.batch, options.views, options.annotations, options.dim
    )
    forget_the_peak()
    before = status("VmRSS")
    value, grads = step(*inputs)
    peak = status("VmHWM")
    seconds = []
    for _ in range(options.steps):
        started = time.perf_counter()
        value, grads = step(*inputs)
        seconds.append(time.perf_counter() - started)
    norms = [float(ops.sqrt(ops.sum(ops.square(g)))) for g in grads]
    return {
        "memory": peak - before,
        "seconds": seconds,
        "results": [float(value), *norms],
    }


def run(options, version):
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.value_loss"]
    for key, value in vars(options).items():
        if key not in ("json", "turns", "version") and value is not None:
            command += [f"--{key}", str(value)]
    environment = {**os.environ, "KERAS_BACKEND": options.backend}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    output = subprocess.run(
        [*command, "--version", version],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--backend",
        choices=("jax", "tensorflow", "torch"),
        default=os.environ.get("KERAS_BACKEND", "tensorflow"),
    )
    parser.add_argument(
        "--mode",
        choices=("compiled", "graph", "eager"),
        default="compiled",
        help="by XLA, or as a TensorFlow graph; PyTorch is always eager",
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--annotations", type=int, default=65_536)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--chunk", type=int, help="annotations per chunk")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="timed, a turn")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of PyTorch"
    )
    parser.add_argument("--version", choices=VERSIONS, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.version:
        print(json.dumps(measure(options)))
        return
    runs = {version: [] for version in VERSIONS}
    for _ in range(options.turns):
        for version in VERSIONS:
            runs[version].append(run(options, version))
    for chunked in runs["chunked"]:
        np.testing.assert_allclose(
            chunked["results"], runs["plain"][0]["results"], rtol=1e-4
        )
    ratios = {
        key: [
            pick(chunked) / pick(plain)
            for plain, chunked in zip(runs["plain"], runs["chunked"])
        ]
        for key, pick in (
            ("memory_ratio", lambda r: r["memory"]),
            ("time_ratio", lambda r: min(r["seconds"])),
        )
    }
    results = {
        "backend": options.backend,
        "mode": options.mode,
        **{
            key: getattr(options, key)
            for key in ("batch", "views", "annotations", "dim", "chunk")
        },
        **{key: statistics.median(values) for key, values in ratios.items()},
        "runs": runs,
    }
    print(cli.text(results))
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
