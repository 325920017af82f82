"""Self-distillation, from a batch to a loss, a centre and rewards."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import models
from keras_ab import objectives
from keras_ab import schedules
from tests.gradients import model_gradients
from tests.models import crops
from tests.models import factory
from tests.reference import dino as reference
from tests.reference.losses import softmax
from tests.reference.losses import unit

BACKEND = keras.backend.backend()


def numpy(x):
    return ops.convert_to_numpy(x)


def head_logits(network, images):
    """A head's logits of views `(B, V, H, W, 3)`, as `(V, B, K)`."""
    head = network.objective("reward").head
    dense = [(numpy(d.kernel), numpy(d.bias)) for d in head.dense_layers]
    pooled = network.encoder.pool(network.encode(images))
    pooled = numpy(pooled).reshape(*images.shape[:2], -1).swapaxes(0, 1)
    return reference.head(pooled, dense, numpy(head.prototypes.kernel))


def expected_step(model, batch, centre, temperature, momentum):
    parts = batch["crops"]
    student = [head_logits(model.online, x) for x in parts.values()]
    teacher = head_logits(model.target, parts["global"])
    return reference.step(
        np.concatenate(student), teacher, centre, 0.1, temperature, momentum
    )


def shaken(model, spread=0.3):
    """A model whose weights are far from the start, and from each other."""
    rng = np.random.default_rng(1)
    for variable in (*model.online.weights, *model.target.weights):
        if variable.path.rpartition("/")[2] in ("kernel", "bias"):
            variable.assign_add(spread * rng.normal(size=variable.shape))
    return model


@pytest.mark.parametrize("locals_", [0, 3])
def test_steps_against_numpy(locals_):
    """Loss, centre and temperature of each of five steps."""
    warmup = schedules.linear(0.04, 0.07, 3)
    model = shaken(
        crops.dino(
            teacher_temperature=warmup, centre_momentum=0.8, target_rate=0.1
        )
    )
    factory.compile(model, keras.optimizers.SGD(0.1))
    teacher = model.target.objective("reward")
    centre = np.zeros(crops.PROTOTYPES)
    temperatures = [0.04, 0.05, 0.06, 0.07, 0.07]
    for step, temperature in enumerate(temperatures):
        batch = crops.of(model, crops.batch(seed=step, locals_=locals_))
        loss, centre = expected_step(model, batch, centre, temperature, 0.8)
        np.testing.assert_allclose(numpy(teacher.temperature), temperature)
        history = model.fit(factory.Batches([batch]), verbose=0).history
        np.testing.assert_allclose(
            history["reward_loss"][0], loss.mean(), rtol=1e-4
        )
        for network in (model.online, model.target):
            seen = numpy(network.objective("reward").centre)
            np.testing.assert_allclose(seen, centre, atol=1e-6)
    assert abs(centre).max() > 0.1


def test_losses_of_images():
    model = shaken(crops.dino())
    batch = crops.of(model, crops.batch())
    start = np.random.default_rng(2).normal(size=crops.PROTOTYPES)
    model.target.objective("reward").centre.assign(0.3 * start)
    expected, _ = expected_step(model, batch, 0.3 * start, 0.04, 0.9)
    objective = model.online.objective("reward")
    outputs = model(batch)["reward"]
    targets = model.target.targets(batch)["reward"]
    assert outputs["logits"].shape == (4, 5, crops.PROTOTYPES)
    loss = numpy(objective.compute_loss(outputs, targets, 0))
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    assert loss.std() > 0.01


def test_the_loss_at_the_start():
    model = models.DINO(
        crops.encoder(), num_prototypes=2048, head_dims=(256, 256)
    )
    # To an untrained encoder all crops look much alike, as here.
    rng = np.random.default_rng(0)
    pixels = 128 + rng.normal(0, 3, (16, 2, 16, 16, 3))
    batch = {"crops": {"global": pixels.astype("uint8")}}
    objective = model.online.objective("reward")
    chance = objective.chance_loss(batch)
    assert chance == np.log(2048)

    def loss():
        outputs = model(batch)["reward"]
        targets = model.target.targets(batch)["reward"]
        return numpy(objective.compute_loss(outputs, targets, 0)).mean()

    assert abs(loss() - chance) < 1
    mean = model.target.targets(batch)["reward"]["mean_logits"]
    model.target.objective("reward").centre.assign(mean)
    assert 0.1 < loss() - chance < 0.3


def test_gradients():
    model = shaken(crops.dino())
    batch = crops.of(model, crops.batch())
    loss, grads = model_gradients(model, batch)
    assert np.isfinite(loss)
    assert not any("target" in path.split("/") for path in grads)
    for path, grad in grads.items():
        assert np.isfinite(grad).all(), path
        assert grad.any(), path


def test_drop_path_is_the_students():
    # The first block has none.
    encoder = crops.encoder(num_layers=2, drop_path_rate=0.9)
    model = models.DINO(encoder, **crops.HEAD)
    batch = crops.of(model, crops.batch())
    logits = [
        numpy(model(batch, training=training)["reward"]["logits"])
        for training in (True, True, False, False)
    ]
    assert abs(logits[0] - logits[1]).max() > 1e-3
    np.testing.assert_array_equal(logits[2], logits[3])
    targets = [model.target.targets(batch)["reward"] for _ in range(2)]
    np.testing.assert_array_equal(*(numpy(t["mean_logits"]) for t in targets))
    student = logits[3][:, :2].mean((0, 1))
    np.testing.assert_allclose(numpy(targets[0]["mean_logits"]), student, 1e-4)


def test_default_drop_path():
    size = {"image_shape": (16, 16, 3), "patch_size": 8}
    model = models.DINO("test", **size, **crops.HEAD)
    assert model.encoder.drop_path_rate == 0.1


def test_rewards():
    model = shaken(crops.dino())
    images = crops.crops()["global"][:, 0]
    teacher = model.target.objective("reward")
    centre = np.random.default_rng(3).normal(size=crops.PROTOTYPES) * 0.3
    teacher.centre.assign(centre)
    teacher.temperature.assign(0.2)
    logits = head_logits(model.target, images[:, None])[0]
    expected = softmax((logits - centre) / 0.2)
    np.testing.assert_allclose(
        numpy(model.reward(images, None)), expected, atol=1e-5
    )
    some = [7, 2, 7]
    expected = expected[:, some] / expected[:, some].sum(1, keepdims=True)
    np.testing.assert_allclose(
        numpy(model.reward(images, some)), expected, atol=1e-5
    )
    rows = unit(numpy(teacher.head.prototypes.kernel))
    np.testing.assert_allclose(
        numpy(model.embed_annotations(None)), rows, atol=1e-6
    )
    np.testing.assert_allclose(
        numpy(model.embed_annotations(np.array(some))), rows[some], atol=1e-6
    )
    embedded = numpy(model.embed_images(images))
    np.testing.assert_allclose(embedded @ rows.T, logits, atol=1e-5)


def test_rewards_of_views_are_the_teachers():
    """What the values bootstrap on is what the student is taught."""
    model = shaken(crops.abdino(gamma=0.0))
    batch = crops.of(model, crops.batch())
    batch["value"]["image"] = batch["crops"]["global"]
    rng = np.random.default_rng(0)
    batch["value"]["boxes"] = factory.boxes(rng, 4, 2)
    targets = model.target.targets(batch)
    np.testing.assert_allclose(
        factory.bellman_targets(model.target, batch),
        numpy(targets["reward"]["probabilities"]),
        atol=1e-6,
    )


def test_bootstrap_views_leave_the_centre():
    centres = []
    for seed in (1, 2):
        keras.utils.set_random_seed(0)
        model = crops.abdino()
        factory.compile(model, keras.optimizers.SGD(0.0))
        batch = crops.of(model, crops.batch())
        batch["value"] = crops.batch(seed=seed)["value"]
        model.fit(factory.Batches([batch]), verbose=0)
        centres.append(numpy(model.online.objective("reward").centre))
    np.testing.assert_array_equal(*centres)
    assert centres[0].any()


def test_without_centring():
    model = crops.dino(centre_momentum=None)
    factory.compile(model, "sgd")
    model.fit(crops.batches(model, 2), verbose=0)
    assert not numpy(model.target.objective("reward").centre).any()


@pytest.mark.parametrize(
    "config, message",
    [
        ({"teacher_temperature": 0}, r"teacher_temperature.*positive.*0"),
        ({"teacher_temperature": -0.1}, "positive.*-0.1"),
        ({"teacher_temperature": "low"}, "Received: 'low'"),
        (
            {"teacher_temperature": schedules.cosine(0.04, 0.0, 10)},
            "at all times.*Received: 0.0",
        ),
        ({"student_temperature": float("inf")}, "Received: inf"),
        ({"student_temperature": 0.0}, "student_temperature.*Received: 0.0"),
        ({"centre_momentum": 1.0}, r"\[0, 1\).*Received: 1.0"),
        ({"centre_momentum": -0.1}, r"\[0, 1\).*-0.1"),
        ({"centre_momentum": "0.9"}, r"\[0, 1\).*'0.9'"),
        ({"num_prototypes": 1}, "at least 2. Received: 1"),
        ({"freeze_last_layer_updates": -1}, "at least 0. Received: -1"),
        ({"freeze_last_layer_updates": 0.5}, "Received: 0.5"),
    ],
)
def test_wrong_settings(config, message):
    with pytest.raises(ValueError, match=message):
        objectives.SelfDistillation(**config)


def test_without_a_target_network():
    with pytest.raises(ValueError, match="needs a target network"):
        crops.dino(target_rate=None)


def part(**kwargs):
    return {"crops": {**crops.crops(), **kwargs}}


GLOBAL, LOCAL = crops.crops()["global"], crops.crops()["local"]
WRONG = {
    "nothing": ({"views": {}}, r'\["crops"\].*views'),
    "no global": ({"crops": {"local": LOCAL}}, r'\["global"\].*local'),
    "one crop": ({"crops": {"global": GLOBAL[:, :1]}}, "at least 2 crops"),
    "rank of global": (part(**{"global": GLOBAL[:, 0]}), r"\(B, N, H, W, 3\)"),
    "rank of local": (part(local=LOCAL[:, 0]), r"local.*\(B, N, H, W, 3\)"),
    "grey": (part(local=LOCAL[..., :1]), "RGB"),
    "0 to 255": (part(local=LOCAL * 1.0), r"\[-1, 1\]"),
    "patches": (part(local=LOCAL[:, :, :7]), r"multiples.*\(4, 4\).*7 x 8"),
    "patches of global": (part(**{"global": GLOBAL[:, :, :, :9]}), "16 x 9"),
    "swapped": ({"crops": {"global": LOCAL, "local": GLOBAL}}, "larger"),
    "other images": (part(local=LOCAL[:2]), "4 and 2 images"),
    "no local": (part(local=LOCAL[:, :0]), r"leave.*\(4, 0, 8, 8, 3\)"),
    "no image": ({"crops": {"global": GLOBAL[:0]}}, r"\(0, 2, 16, 16, 3\)"),
}


@pytest.fixture(scope="module")
def compiled():
    model = crops.dino()
    factory.compile(model, "adamw")
    return model


@pytest.mark.parametrize("name", WRONG)
def test_wrong_batches(compiled, name):
    batch, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        compiled.fit(factory.Batches([batch]), verbose=0)


def test_one_global_crop_with_locals(compiled):
    compiled.check({"crops": {"global": GLOBAL[:, :1], "local": LOCAL}})


@pytest.mark.parametrize(
    "annotations, message",
    [
        ([0, crops.PROTOTYPES], r"\[0, 12\).*from 0 to 12"),
        ([-1], r"from -1 to -1"),
        ([0.5], "dtype float64"),
        ([], r"shape \(0,\)"),
        ([[1]], r"shape \(1, 1\)"),
        (["a cup"], "integer indices"),
    ],
)
def test_wrong_annotations(compiled, annotations, message):
    images = GLOBAL[:, 0]
    with pytest.raises(ValueError, match=message):
        compiled.reward(images, annotations)
