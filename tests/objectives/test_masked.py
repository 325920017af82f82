"""Masked pixels and masked latents, from a batch to a loss."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from keras_ab import models
from keras_ab import objectives
from tests.gradients import model_gradients
from tests.models import masked
from tests.reference import losses as reference
from tests.reference import sincos
from tests.reference import transformer


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


def loss_of(model, batch):
    """Loss of each image, and what it came from."""
    (objective,) = model.online.objectives
    outputs = model(batch)[objective.name]
    targets = model.network().targets(batch)[objective.name]
    return numpy(objective.compute_loss(outputs, targets, 0)), outputs, targets


def patches(images):
    x = images.astype("float64") / 127.5 - 1
    x = x.reshape(-1, 4, 4, 6, 4, 3).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(len(images), 24, 48)


@pytest.mark.parametrize("normalize", [True, False])
def test_mae_against_numpy(normalize):
    """All of it: encoder, decoder and loss, from the weights alone."""
    model, batch = masked.mae(normalize=normalize), masked.mae_batch()
    rng = np.random.default_rng(1)
    for variable in model.online.weights:
        variable.assign_add(0.1 * rng.normal(size=variable.shape))
    result, outputs, _ = loss_of(model, batch)
    inputs = batch["masked"]
    everything = {v.path: ops.convert_to_numpy(v) for v in model.online.weights}
    pick = transformer.weights_below
    encoder = pick(everything, "mae/online/image_encoder")
    decoder = pick(everything, "mae/online/pixels/decoder")
    pixels = patches(inputs["image"])
    x = transformer.dense(pixels, pick(encoder, "patches/projection"))
    x = x + sincos.table(4, 6, 32)
    x = np.take_along_axis(x, inputs["kept"][..., None], axis=1)
    first = np.broadcast_to(encoder["class_embedding"], (4, 1, 32))
    x = np.concatenate([first, x], axis=1)
    x, _ = transformer.encoder(x, encoder, 2, 2, 1e-6)
    x = transformer.mask_predictor(
        x,
        inputs["kept"],
        inputs["masked"][:, None],
        decoder,
        sincos.table(4, 6, 16),
        1,
        2,
        1e-6,
    )[:, 0]
    head = pick(everything, "mae/online/pixels/projection")
    x = transformer.dense(x, head)
    np.testing.assert_allclose(numpy(outputs["predictions"]), x, atol=1e-4)
    expected = np.zeros_like(pixels)
    np.put_along_axis(expected, inputs["masked"][..., None], x, axis=1)
    expected = reference.masked_pixels(
        expected, pixels, inputs["masked"], normalize
    )
    np.testing.assert_allclose(result, expected, rtol=1e-4)


def test_ijepa_against_numpy():
    model, batch = masked.ijepa(), masked.ijepa_batch()
    rng = np.random.default_rng(1)
    for variable in model.weights:
        if "float" in variable.dtype:
            variable.assign_add(0.1 * rng.normal(size=variable.shape))
    result, outputs, targets = loss_of(model, batch)
    inputs = batch["masked"]
    everything = {v.path: ops.convert_to_numpy(v) for v in model.weights}
    pick = transformer.weights_below
    positions = sincos.table(4, 6, 32)

    def encode(network, ids):
        w = pick(everything, f"ijepa/{network}/image_encoder")
        x = patches(inputs["image"])
        x = transformer.dense(x, pick(w, "patches/projection")) + positions
        x = np.take_along_axis(x, ids[..., None], axis=1)
        return transformer.encoder(x, w, 2, 2, 1e-6)[0]

    # Without the padding: all images have 7 patches of context, 4 a target.
    context = inputs["context"][:, :7]
    aimed = inputs["targets"][:, :, :4]
    x = transformer.mask_predictor(
        encode("online", context),
        context,
        aimed,
        pick(everything, "ijepa/online/latents/predictor"),
        sincos.table(4, 6, 16),
        1,
        2,
        1e-6,
    )
    head = pick(everything, "ijepa/online/latents/projection")
    x = transformer.dense(x, head)
    np.testing.assert_allclose(
        numpy(outputs["predictions"])[:, :, :4], x, atol=1e-4
    )
    tokens = encode("target", np.tile(np.arange(24), (3, 1)))
    plain = {"gamma": 1.0, "beta": 0.0}
    tokens = transformer.layer_norm(tokens, plain, 1e-5)
    wanted = np.stack([tokens[b][aimed[b]] for b in range(3)])
    np.testing.assert_allclose(
        numpy(targets["features"])[:, :, :4], wanted, atol=1e-4
    )
    expected = reference.masked_latents(x, wanted, None)
    np.testing.assert_allclose(result, expected, rtol=1e-4)


def test_ids_of_padding_do_not_matter():
    model, batch = masked.ijepa(), masked.ijepa_batch()
    expected, *_ = loss_of(model, batch)
    _, grads = model_gradients(model, batch)
    inputs = batch["masked"]
    for ids, mask in (("context", "context_mask"), ("targets", "target_mask")):
        inputs[ids] = np.where(inputs[mask], inputs[ids], 23).astype("int32")
    model.check(batch)
    result, *_ = loss_of(model, batch)
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    _, others = model_gradients(model, batch)
    for path, grad in grads.items():
        np.testing.assert_allclose(others[path], grad, atol=1e-6, err_msg=path)


def test_padding_may_be_cut_off():
    model, batch = masked.ijepa(), masked.ijepa_batch()
    expected, *_ = loss_of(model, batch)
    inputs = batch["masked"]
    for key, length in (("context", 7), ("targets", 4)):
        inputs[key] = inputs[key][..., :length]
    inputs["context_mask"] = inputs["context_mask"][..., :7]
    inputs["target_mask"] = inputs["target_mask"][..., :4]
    result, *_ = loss_of(model, batch)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_the_order_of_ids_does_not_matter():
    model, batch = masked.mae(), masked.mae_batch()
    expected, *_ = loss_of(model, batch)
    inputs = batch["masked"]
    for key in ("kept", "masked"):
        inputs[key] = np.sort(inputs[key], axis=1)
    result, *_ = loss_of(model, batch)
    np.testing.assert_allclose(result, expected, rtol=1e-4)


@pytest.mark.slow
def test_the_loss_of_the_official_head():
    """1.8: the pixels' variance and that of a Xavier-uniform head."""
    model = models.MAE("test", image_shape=(64, 64, 3), decoder_layers=2)
    rng = np.random.default_rng(0)
    order = np.argsort(rng.random((8, 16)), axis=1).astype("int32")
    batch = {
        "masked": {
            "image": rng.integers(0, 256, (8, 64, 64, 3)).astype("uint8"),
            "kept": order[:, :4],
            "masked": order[:, 4:],
        }
    }
    result, *_ = loss_of(model, batch)
    assert abs(result.mean() - 1.8) < 0.1
    assert model.online.objective("pixels").chance_loss(batch) == 1.0


def test_the_start_of_ijepa():
    model = masked.ijepa()
    for network in (model.online, model.target):
        for variable in network.weights:
            if variable.name == "kernel":
                spread = numpy(variable).std()
                assert abs(spread / 0.02 - 1) < 0.15, variable.path


@pytest.mark.parametrize("name", ["pixels", "latents"])
def test_config(name):
    half = backbones.MaskPredictor((4, 6), 1, 16, 2, 64, name="half")
    objective = {
        "pixels": lambda: objectives.MaskedPixels(half, normalize=False),
        "latents": lambda: objectives.MaskedLatents(half, weight=2.0),
    }[name]()
    config = keras.saving.serialize_keras_object(objective)
    assert config["registered_name"].startswith("keras_ab>")
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == objective.get_config()


@keras.saving.register_keras_serializable(package="tests")
class Tokens(keras.layers.Layer):
    """An encoder that encodes whole images only."""

    hidden_dim, image_shape = 32, (16, 24, 3)

    def call(self, images, training=False):
        return images

    def pool(self, tokens):
        return tokens[:, 0]


def test_what_they_need():
    half = backbones.MaskPredictor((4, 6), 1, 16, 2, 64)
    encoder = masked.mae().encoder
    for objective in (
        objectives.MaskedPixels(half),
        objectives.MaskedLatents(half),
    ):
        with pytest.raises(ValueError, match="Tokens, without.*patch_ids"):
            models.Pretrainer(Tokens(), [objective], target_rate=0.1)
    wrong = backbones.MaskPredictor((6, 4), 1, 16, 2, 64)
    with pytest.raises(ValueError, match=r"\(4, 6\).*Received: \(6, 4\)"):
        models.Pretrainer(encoder, [objectives.MaskedPixels(wrong)])
    with pytest.raises(ValueError, match="'latents' needs a target network"):
        models.Pretrainer(encoder, [objectives.MaskedLatents(half)])
    with pytest.raises(ValueError, match="target_rate=None"):
        masked.ijepa(target_rate=None)
    for make in (models.MAE, models.IJEPA):
        with pytest.raises(ValueError, match="Tokens, without"):
            make(Tokens())
