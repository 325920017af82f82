"""Training on several devices of this process against training on one.

A process gets its virtual devices when its backend starts, so tests run
functions of this module in processes of their own:

    python -m tests.distribution.devices 8 function argument ...
"""

import functools
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent


def call(count, function, *arguments, timeout=900):
    """Runs a function of this module in a process with virtual devices.

    Args:
        count: Int, devices.
        function: String, its name.
        *arguments: Strings.
        timeout: Float, seconds.

    Returns:
        What it returned, by way of JSON.
    """
    command = [sys.executable, "-m", "tests.distribution.devices"]
    done = subprocess.run(
        [*command, str(count), function, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment(count)},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def environment(count):
    """What a process must know before its backend starts."""
    flag = f"--xla_force_host_platform_device_count={count}"
    flags = f"{os.environ.get('XLA_FLAGS', '')} {flag}"
    return {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}


def start(count):
    """Makes the virtual devices."""
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        import tensorflow as tf

        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * count,
        )


def scope(count, model_axis=1):
    """A context in which models are built for several devices."""
    import keras

    from keras_ab import distribution

    if os.environ["KERAS_BACKEND"] == "tensorflow":
        return strategy(count).scope()
    names = [f"cpu:{i}" for i in range(count)]
    if model_axis == 1:
        return keras.distribution.DataParallel(devices=names).scope()
    mesh = keras.distribution.DeviceMesh(
        (count // model_axis, model_axis), ("batch", "model"), devices=names
    )
    return keras.distribution.ModelParallel(
        layout_map=distribution.layout_map(mesh), batch_dim_name="batch"
    ).scope()


@functools.cache
def strategy(count):
    """The one strategy of a process: two would mix up their messages."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])


# Called by tests.


def steps(count, *names, model_axis=1):
    """How far a step on several devices is from the same on one.

    Args:
        count: Int, devices.
        *names: Names of `tests.distribution.methods.ALL`.
        model_axis: Int, devices among which weights are cut (JAX).

    Returns:
        Dict from names to dicts of differences.
    """
    from tests.distribution import comparison

    return {
        name: comparison.compare(
            name, lambda: scope(int(count), int(model_axis))
        )
        for name in names
    }


def model_parallel_steps(count, model_axis, *names):
    return steps(count, *names, model_axis=model_axis)


def gathered(count):
    """Values and gradients of a loss of rows that replicas gather."""
    from tests.distribution import comparison

    return comparison.gathered(count, strategy(count))


def placed(count, name):
    """Where a compiled model's variables lie, on a mesh of 2 x count / 2.

    Args:
        count: Int, devices.
        name: Of `tests.distribution.methods.MODELS`.

    Returns:
        Dict of lists of `[path, axes]`: of weights, slots and metrics.
    """
    from keras_ab import optimizers
    from tests.distribution import methods

    with scope(count, count // 2):
        model = methods.MODELS[name]()
        model.compile("adamw")
    return {
        group: [[v.path, list(v.value.sharding.spec)] for v in variables]
        for group, variables in {
            "weights": model.weights,
            "slots": optimizers.innermost(model.optimizer).variables,
            "metrics": model.metrics_variables,
        }.items()
    }


def clipped(count):
    """A step whose gradients are clipped.

    Without embeddings: of their gradients, one of Keras' own optimizers
    takes the norm row by row.
    """
    import keras

    from tests.distribution import comparison

    return {
        name: comparison.compare(
            "simclr",
            lambda: scope(count),
            functools.partial(keras.optimizers.SGD, 0.125, **{name: value}),
        )
        for name, value in (
            ("global_clipnorm", 0.1),
            ("clipnorm", 0.01),
            ("clipvalue", 1e-3),
        )
    }


def compiled(count):
    """A step in a graph, with AdamW's own rules and accumulation."""
    import keras

    from keras_ab import optimizers
    from tests.distribution import comparison

    # Keras cannot accumulate on several of TensorFlow's devices.
    tensorflow = keras.backend.backend() == "tensorflow"
    accumulations = (None,) if tensorflow else (None, 2)
    return {
        str(steps): comparison.compare(
            "abclip",
            lambda: scope(count),
            # A large epsilon: it divides by what would be rounding errors.
            functools.partial(
                optimizers.AdamW,
                0.125,
                epsilon=1e-2,
                global_clipnorm=0.1,
                gradient_accumulation_steps=steps,
            ),
            steps=2,
            run_eagerly=False,
        )
        for steps in accumulations
    }


def refused(count):
    """What is said of what Keras cannot do on several replicas."""
    import keras

    from tests.models import factory

    batch = factory.batch(images=count, values=count)
    with scope(count):
        model = factory.abclip()
        said = []
        for accumulated, steps in ((2, 1), (None, 3)):
            optimizer = keras.optimizers.SGD(
                0.1, gradient_accumulation_steps=accumulated
            )
            model.compile(optimizer, steps_per_execution=steps)
            try:
                model.fit(factory.Batches([batch]), verbose=0)
            except ValueError as error:
                said.append(str(error))
    return said


def ended(count):
    """Differences of a run that finds the end of data from one told of it.

    Returns:
        List of two dicts, of one device and of all: how far weights and logs
        are apart, and how far weights moved.
    """
    import contextlib

    from tests.distribution import comparison

    found = []
    for place in (contextlib.nullcontext, functools.partial(scope, count)):
        with place():
            found.append(comparison.ended())
    return found


def not_finite(count):
    """A step of which one replica's images hold an inf."""
    from tests.distribution import comparison

    with scope(count):
        return {
            policy: comparison.not_finite(policy)
            for policy in ("float32", "mixed_float16")
        }


if __name__ == "__main__":
    number, wanted, *rest = sys.argv[1:]
    start(int(number))
    print(json.dumps(globals()[wanted](int(number), *rest)))
