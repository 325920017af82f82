"""DINO, SiLC and ABDINO as models."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import schedules
from tests.models import crops
from tests.models import factory

MAKE = {"dino": crops.dino, "silc": crops.silc, "abdino": crops.abdino}
TERMS = {
    "dino": {"reward": 1},
    "silc": {"reward": 1, "distillation": 1},
    "abdino": {"reward": 1, "value": 1},
}
EVERY = pytest.mark.parametrize("name", MAKE)
BACKEND = keras.backend.backend()
# Where compiling takes long, one of the three is enough.
LONG = [
    pytest.param(
        name,
        marks=pytest.mark.slow if BACKEND == "jax" and name != "abdino" else (),
    )
    for name in MAKE
]


def numpy(x):
    return ops.convert_to_numpy(x)


def objective(model, network="online"):
    """The objective of self-distillation."""
    name = "distillation" if model.name == "silc" else "reward"
    return model.network(network).objective(name)


def everything(model):
    variables = [*model.variables, *model.optimizer.variables]
    return {v.path: numpy(v).copy() for v in variables}


def check_equal(a, b, **kwargs):
    assert set(a) == set(b)
    for path, value in a.items():
        np.testing.assert_allclose(value, b[path], err_msg=path, **kwargs)


@EVERY
def test_a_step(name):
    model = MAKE[name](target_rate=0.1)
    factory.compile(model, keras.optimizers.SGD(0.1))
    before = factory.weights(model)
    history = model.fit(crops.batches(model, 1), verbose=0).history
    terms = TERMS[name]
    assert set(history) == {
        "loss",
        "skipped_steps",
        *(f"{term}_loss" for term in terms),
    }
    assert history["skipped_steps"] == [0]
    total = sum(w * history[f"{term}_loss"][0] for term, w in terms.items())
    np.testing.assert_allclose(history["loss"][0], total, rtol=1e-5)
    after = factory.weights(model)
    copied = {"centre", "temperature", "batches"}
    for path, old in before.items():
        if "/target/" in path:
            mine = after[path.replace("/target/", "/online/")]
            rate = 1.0 if path.rpartition("/")[2] in copied else 0.1
            expected = old + rate * (mine - old)
            np.testing.assert_allclose(
                after[path], expected, atol=1e-6, err_msg=path
            )
        elif path.endswith("kernel"):
            assert (after[path] != old).any(), path


@EVERY
def test_use(name):
    model = MAKE[name]()
    batch = crops.batch()
    images = batch["crops"]["global"][:, 0]
    annotations = ["w1", "w2 w3"] if name == "silc" else None
    count = 2 if name == "silc" else crops.PROTOTYPES
    dim = 8 if name == "silc" else 6
    assert model.encode(images).shape == (4, 16, 32)
    reward = numpy(model.reward(images, annotations))
    assert reward.shape == (4, count)
    np.testing.assert_allclose(reward.sum(1), 1, rtol=1e-5)
    for embedded, rows in (
        (model.embed_images(images), 4),
        (model.embed_annotations(annotations), count),
    ):
        assert embedded.shape == (rows, dim)
        norms = np.linalg.norm(numpy(embedded), axis=1)
        np.testing.assert_allclose(norms, 1, rtol=1e-5)
    if name == "abdino":
        actions = factory.boxes(np.random.default_rng(0), 4, 3)
        values = numpy(model.value(images, actions, None))
        assert values.shape == (4, 3, crops.PROTOTYPES)
        assert values.min() > 0 and values.max() < 1
        some = numpy(model.value(images, actions, [5, 0]))
        np.testing.assert_allclose(some, values[..., [5, 0]], atol=1e-6)


@EVERY
def test_evaluation_writes_nothing(name):
    model = MAKE[name](freeze_last_layer_updates=5)
    factory.compile(model, "adamw")
    data = crops.batches(model, 2)
    model.fit(data, verbose=0)
    before = everything(model)
    model.evaluate(data, verbose=0)
    outputs = model.predict(data, verbose=0)
    part = "distillation" if name == "silc" else "reward"
    assert outputs[part]["logits"].shape == (8, 5, crops.PROTOTYPES)
    check_equal(before, everything(model), rtol=0)


def test_evaluation_follows_centre_and_temperature():
    """The loss that evaluation gives is that of the next training step."""
    warmup = schedules.linear(0.04, 0.4, 3)
    model = crops.dino(teacher_temperature=warmup)
    factory.compile(model, keras.optimizers.SGD(0.1))
    for seed in range(3):
        batch = crops.of(model, crops.batch(seed=seed))
        data = factory.Batches([batch])
        held_out = model.evaluate(data, verbose=0, return_dict=True)
        history = model.fit(data, verbose=0).history
        np.testing.assert_allclose(
            history["reward_loss"][0], held_out["reward_loss"], rtol=1e-5
        )


@pytest.mark.parametrize("accumulate", [None, 2])
def test_the_last_layer_thaws(accumulate):
    steps = accumulate or 1
    model = crops.abdino(freeze_last_layer_updates=2)
    optimizer = keras.optimizers.AdamW(
        1e-2, weight_decay=0.5, gradient_accumulation_steps=accumulate
    )
    factory.compile(model, optimizer)
    kernel = objective(model).head.prototypes.kernel
    mine = kernel.path.replace("/", "_")
    moments = [v for v in optimizer.variables if mine in v.path]
    assert len(moments) >= 2
    start = numpy(kernel).copy()
    batches = crops.batches(model, 2 * steps)
    encoder = numpy(model.encoder.patches.projection.kernel).copy()
    model.fit(batches, verbose=0)
    assert int(numpy(model.updates)) == 2
    np.testing.assert_array_equal(numpy(kernel), start)
    for moment in moments:
        assert not numpy(moment).any(), moment.path
    assert (numpy(model.encoder.patches.projection.kernel) != encoder).any()
    model.fit(crops.batches(model, steps), verbose=0)
    assert (numpy(kernel) != start).all()
    # The teacher's follows.
    taught = numpy(objective(model, "target").head.prototypes.kernel)
    expected = start + 0.004 * (numpy(kernel) - start)
    np.testing.assert_allclose(taught, expected, atol=1e-6)


def test_a_thawed_layer_steps_as_if_it_began_then():
    """Adam's first step is as long as the learning rate, for any gradient."""
    model = crops.dino(freeze_last_layer_updates=4)
    factory.compile(model, keras.optimizers.Adam(1e-3, epsilon=1e-14))
    model.fit(crops.batches(model, 4), verbose=0)
    kernel = objective(model).head.prototypes.kernel
    start = numpy(kernel).copy()
    model.fit(crops.batches(model, 1), verbose=0)
    steps = np.abs(numpy(kernel) - start)
    np.testing.assert_allclose(np.median(steps), 1e-3, rtol=1e-3)


def test_a_frozen_layer_is_no_part_of_a_norm():
    """Clipping by the global norm does not see what stays anyway."""
    kernels = []
    for scale in (1.0, 1e-3):
        keras.utils.set_random_seed(0)
        model = crops.dino(freeze_last_layer_updates=1)
        # A shorter row would have a larger gradient, and the same cosines.
        for network in ("online", "target"):
            kernel = objective(model, network).head.prototypes.kernel
            kernel.assign(kernel * scale)
        optimizer = keras.optimizers.SGD(0.1, global_clipnorm=1e-2)
        factory.compile(model, optimizer)
        model.fit(crops.batches(model, 1), verbose=0)
        kernels.append(numpy(model.encoder.patches.projection.kernel))
    np.testing.assert_allclose(*kernels, atol=1e-6)


def test_accumulated_gradients_are_one_batch():
    """Two halves of a batch do what the batch does, the centre included."""
    whole = [crops.crops(images=8, seed=seed) for seed in range(3)]
    states = []
    for accumulate in (None, 2):
        keras.utils.set_random_seed(0)
        model = crops.dino(
            target_rate=0.2,
            teacher_temperature=schedules.linear(0.04, 0.07, 3),
        )
        optimizer = keras.optimizers.SGD(
            1e-3, gradient_accumulation_steps=accumulate
        )
        factory.compile(model, optimizer)
        size = 8 // (accumulate or 1)
        data = [
            {"crops": {k: v[i : i + size] for k, v in batch.items()}}
            for batch in whole
            for i in range(0, 8, size)
        ]
        model.fit(factory.Batches(data), verbose=0, shuffle=False)
        weights = {**factory.weights(model.online)}
        weights.update(factory.weights(model.target))
        states.append({k: v for k, v in weights.items() if "batches" not in k})
    check_equal(*states, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_bad_step_is_taken_back(policy):
    model = crops.abdino(dtype=policy)
    factory.compile(model, keras.optimizers.AdamW(1e-2))

    def floats(seed):
        batch = crops.of(model, crops.batch(seed=seed))
        for views in (batch["value"], batch["crops"]):
            for key in {"image", "global", "local"} & set(views):
                views[key] = views[key].astype("float32") / 127.5 - 1
        return batch

    model.fit(factory.Batches([floats(0)]), verbose=0)
    before = everything(model)
    assert numpy(objective(model).centre).any()
    bad = floats(1)
    bad["crops"]["global"][1, 0, 2, 3, 1] = np.nan
    # Past the check of the first batch, which would refuse it.
    model._prepare = lambda batch: None
    history = model.fit(factory.Batches([bad]), verbose=0).history
    assert history["skipped_steps"] == [1]
    after = everything(model)
    check_equal(before, after, rtol=0)


@pytest.mark.parametrize("name", LONG)
def test_saving(name, tmp_path):
    model = MAKE[name](
        teacher_temperature=schedules.linear(0.04, 0.07, 10),
        freeze_last_layer_updates=3,
        centre_momentum=0.7,
        target_rate=schedules.cosine(0.1, 0.0, 10),
    )
    factory.compile(model, keras.optimizers.AdamW(1e-2, weight_decay=0.5))
    model.fit(crops.batches(model, 2), verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    assert objective(again).centre_momentum == 0.7
    assert numpy(objective(again, "target").centre).any()
    np.testing.assert_allclose(
        numpy(objective(again, "target").temperature), 0.046
    )
    check_equal(factory.weights(model), factory.weights(again), rtol=0)
    # They go on alike, through the thaw.
    for m in (model, again):
        m.fit(crops.batches(m, 3), verbose=0, shuffle=False)
    check_equal(factory.weights(model), factory.weights(again), atol=1e-5)


@pytest.mark.parametrize("name", LONG)
def test_mixed_precision(name):
    model = MAKE[name](dtype="mixed_bfloat16")
    factory.compile(model, "adamw")
    history = model.fit(crops.batches(model, 2), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["skipped_steps"] == [0]
    assert objective(model).centre.dtype == "float32"
    batch = crops.of(model, crops.batch())
    outputs = model(batch)[objective(model).name]
    assert keras.backend.standardize_dtype(outputs["logits"].dtype) == "float32"


@pytest.mark.skipif(BACKEND == "jax", reason="compiled in every test there")
@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_compiled(jit_compile):
    """The same two steps, eager and compiled."""
    if jit_compile and BACKEND == "torch":
        pytest.skip("PyTorch's compiler takes minutes")
    states = []
    for eager in (True, False):
        keras.utils.set_random_seed(0)
        model = crops.abdino(freeze_last_layer_updates=1)
        factory.compile(
            model,
            keras.optimizers.SGD(1e-3),
            run_eagerly=eager,
            jit_compile=jit_compile and not eager,
        )
        model.fit(crops.batches(model, 2), verbose=0, shuffle=False)
        states.append(factory.weights(model))
    check_equal(*states, rtol=1e-3, atol=1e-5)
