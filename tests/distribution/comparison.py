"""Steps on several devices against the same steps on one."""

import keras
import numpy as np
from keras import ops

from keras_ab import optimizers
from tests.distribution import methods
from tests.models import factory

RATE = 0.125


def state(model):
    """Weights, target network and counters, and which of them are whose.

    Paths may count up with each model.
    """
    return {
        (i, "target" if "/target/" in v.path else "online"): np.array(
            ops.convert_to_numpy(v), "float64"
        )
        for i, v in enumerate(model.weights)
    }


def trained(
    name, weights=None, optimizer=None, rows=methods.ROWS, steps=1, **settings
):
    """A model after a step or more, and what it was before.

    The optimizer takes gradients as they are, so what weights moved by is
    their gradient.
    """
    keras.utils.set_random_seed(0)
    model = methods.MODELS[name]()
    if weights is not None:
        model.set_weights(weights)
    optimizer = optimizer or keras.optimizers.SGD(RATE)
    factory.compile(model, optimizer, **settings)
    before = model.get_weights()
    batches = [methods.batch(name, rows, seed) for seed in range(steps)]
    logs = model.fit(dataset(batches), verbose=0, shuffle=False).history
    return model, before, {k: v[-1] for k, v in logs.items()}


def dataset(batches):
    """Batches as the data of `fit`."""
    if keras.backend.backend() != "tensorflow":
        return factory.Batches(batches)
    import tensorflow as tf

    spec = keras.tree.map_structure(
        lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype), batches[0]
    )
    return tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=spec
    )


def compare(name, scope, make_optimizer=lambda: None, **settings):
    """Differences of one step on several devices from one on one device.

    Args:
        name: Of `methods.MODELS`.
        scope: Function that makes a context in which models are distributed.
        make_optimizer: Function that makes an optimizer, or None.
        **settings: Of `compile`, on several devices.

    Returns:
        Dict of the largest differences, and of the largest change of a
        trained weight, to which they are to be compared.
    """
    sizes = {k: settings.pop(k) for k in ("rows", "steps") if k in settings}
    one, before, logs = trained(name, None, make_optimizer(), **sizes)
    with scope():
        many, _, many_logs = trained(
            name, before, make_optimizer(), **sizes, **settings
        )
        expected, found = state(one), state(many)
    apart = {
        path: float(np.abs(found[path] - expected[path]).max())
        for path in expected
    }
    moved = max(
        float(np.abs(ops.convert_to_numpy(v) - start).max())
        for v, start in zip(one.weights, before)
        if v.trainable
    )
    return {
        "moved": moved,
        "weights": max(v for k, v in apart.items() if "target" not in k),
        "target": max(
            [v for k, v in apart.items() if "target" in k], default=0.0
        ),
        "logs": max(abs(many_logs[k] - logs[k]) for k in logs),
        "devices": len(devices(many)),
    }


def ended():
    """A run that finds the end of data against one that is told of it."""
    batches = [methods.batch("clip", seed=seed) for seed in range(2)]
    runs = []
    for steps in (len(batches), None):
        keras.utils.set_random_seed(0)
        model = methods.MODELS["clip"]()
        before = model.get_weights()
        # Without XLA, which runs a step as one piece.
        model.compile(
            optimizers.AdamW(RATE, weight_decay=0.5, epsilon=1e-2),
            jit_compile=False,
        )
        logs = model.fit(
            dataset(batches),
            steps_per_epoch=steps,
            validation_data=dataset(batches),
            validation_steps=steps,
            verbose=0,
        ).history
        runs.append((model.get_weights(), logs))
    (told, told_logs), (found, logs) = runs

    def apart(some, others):
        return max(float(np.abs(a - b).max()) for a, b in zip(some, others))

    return {
        "weights": apart(found, told),
        "moved": apart(told, before),
        "logs": max(abs(logs[k][-1] - told_logs[k][-1]) for k in logs),
    }


def devices(model):
    """The devices on which a model's weights lie."""
    value = model.trainable_variables[0].value
    if keras.backend.backend() == "jax":
        return {str(d) for d in value.sharding.device_set}
    return {v.device for v in value.values}


def not_finite(policy):
    """What one bad image in the second of two batches changes.

    Args:
        policy: Dtype policy.

    Returns:
        Dict of what the log says, of the loss scale's factor, and of the
        weights that changed.
    """
    batches = [methods.batch("abclip", seed=seed) for seed in (0, 1)]
    for batch in batches:
        for part in batch.values():
            part["image"] = part["image"].astype("float32") / 127.5 - 1
    batches[1]["reward"]["image"][-1, 2, 3] = np.inf
    model = factory.abclip(dtype=policy)
    factory.compile(model, keras.optimizers.SGD(1e-2, momentum=0.9))
    optimizer = model.optimizer
    model.fit(factory.Batches(batches[:1]), verbose=0)
    scale = getattr(optimizer, "dynamic_scale", None)
    scale = 1.0 if scale is None else float(ops.convert_to_numpy(scale))
    variables = [*model.weights, *optimizers.innermost(optimizer).variables]
    before = [np.array(ops.convert_to_numpy(v)) for v in variables]
    # Which would refuse the bad batch, as the first one.
    model._prepare = lambda batch: None
    history = model.fit(
        factory.Batches(batches[1:] * 2),
        verbose=0,
        validation_data=factory.Batches(batches[:1]),
    )
    after = getattr(optimizer, "dynamic_scale", scale)
    return {
        "skipped": float(history.history["skipped_steps"][-1]),
        "scale": float(ops.convert_to_numpy(after)) / scale,
        "changed": [
            v.path
            for v, was in zip(variables, before)
            if (ops.convert_to_numpy(v) != was).any()
        ],
        "apart": [
            v.path
            for v in variables
            if len({part.numpy().tobytes() for part in v.value.values}) > 1
        ],
    }


def gathered(count, strategy):
    """What replicas gather, and its gradient, by TensorFlow's tape.

    Args:
        count: Int, replicas.
        strategy: A `tf.distribute.MirroredStrategy`.

    Returns:
        Dict of lists: rows that replica 0 gathered, the gradients of all
        replicas' rows, and the means.
    """
    import tensorflow as tf

    from keras_ab import distribution

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2 * count + 1, 3)).astype("float32")
    parts = np.array_split(rows, count)
    weights = rng.normal(size=(3, 3)).astype("float32")

    def loss_of(everything):
        pairs = everything @ weights @ tf.transpose(everything)
        return tf.reduce_sum(tf.nn.softmax(pairs)[:, 0] ** 2)

    def step():
        context = tf.distribute.get_replica_context()
        index = tf.get_static_value(context.replica_id_in_sync_group)
        own = tf.constant(parts[int(index)])
        with tf.GradientTape() as tape:
            tape.watch(own)
            loss = loss_of(distribution.gather(own)) / count
        return {
            "rows": distribution.gather(own),
            "gradient": tape.gradient(loss, own),
            "mean": distribution.mean_of_rows(own),
        }

    found = strategy.run(step)
    found = {
        key: [part.numpy() for part in strategy.experimental_local_results(v)]
        for key, v in found.items()
    }
    everything = tf.constant(rows)
    with tf.GradientTape() as tape:
        tape.watch(everything)
        loss = loss_of(everything)
    expected = tape.gradient(loss, everything).numpy()
    gradients = np.concatenate(found["gradient"])
    return {
        "rows": max(float(np.abs(r - rows).max()) for r in found["rows"]),
        "gradient": float(np.abs(gradients - expected).max()),
        "mean": max(
            float(np.abs(m - rows.mean(0)).max()) for m in found["mean"]
        ),
        "scale": float(np.abs(expected).max()),
    }
