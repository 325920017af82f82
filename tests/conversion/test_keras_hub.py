"""KerasHub's backbones: outputs equal theirs, there and back."""

import keras
import numpy as np
import pytest

from keras_ab import backbones
from keras_ab import conversion

hub = pytest.importorskip("keras_hub")
SIZES = {
    "patch_size": 8,
    "num_layers": 2,
    "hidden_dim": 32,
    "num_heads": 2,
    "image_shape": (32, 32, 3),
}
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = (
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
)
SIGNED = ((0.5,) * 3, (0.5,) * 3)
KINDS = {
    "ViT": (
        lambda: hub.models.ViTBackbone(
            **{**SIZES, "image_shape": (32, 48, 3)}, mlp_dim=48
        ),
        SIGNED,
    ),
    "ViT without class token": (
        lambda: hub.models.ViTBackbone(
            **SIZES, mlp_dim=48, use_class_token=False, use_mha_bias=False
        ),
        SIGNED,
    ),
    "DINOv2": (
        lambda: hub.models.DINOV2Backbone(
            **SIZES,
            intermediate_dim=48,
            position_embedding_shape=(48, 48, 3),
            num_register_tokens=3,
        ),
        IMAGENET,
    ),
    "CLIP": (
        lambda: hub.models.CLIPVisionEncoder(**SIZES, intermediate_dim=48),
        CLIP,
    ),
    "SigLIP": (
        lambda: hub.models.SigLIPVisionEncoder(**SIZES, intermediate_dim=48),
        SIGNED,
    ),
}


def randomise(layer):
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        if "float" in weight.dtype:
            start = 1.0 if weight.name == "gamma" else 0.0
            weight.assign(start + rng.normal(0, 0.15, weight.shape))
        elif weight.name == "position_ids":
            # As in every preset; a fresh CLIP has zeros.
            weight.assign(np.arange(weight.shape[1])[None])
    return layer


def pixels(shape):
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (2, *shape)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def outputs(backbone, images):
    """Tokens, and what SigLIP pools of them."""
    if hasattr(backbone, "post_layer_norm"):
        both = [backbone.post_layer_norm.output, backbone.output]
        backbone = keras.Model(backbone.inputs, both)
        return backbone([images])
    named = isinstance(backbone.input, dict)
    return [backbone({"images": images} if named else images)]


@pytest.mark.parametrize("kind", KINDS)
def test_from_a_backbone(kind):
    make, (mean, std) = KINDS[kind]
    backbone = randomise(make())
    source = conversion.open_source(backbone)
    vit = source.build()
    x = pixels(vit.image_shape)
    theirs = outputs(backbone, ((x + 1) / 2 - np.array(mean)) / np.array(std))
    np.testing.assert_allclose(numpy(vit(x)), numpy(theirs[0]), atol=1e-4)
    if kind == "SigLIP":
        pooled = numpy(vit.pool(vit(x)))
        np.testing.assert_allclose(pooled, numpy(theirs[1]), atol=1e-4)
    assert source.unused == (["mask_token"] if kind == "DINOv2" else [])


@pytest.mark.parametrize("class_token", [True, False])
def test_to_a_preset_and_back(tmp_path, class_token):
    vit = backbones.ViT.from_size(
        "test",
        image_shape=(32, 48, 3),
        patch_size=8,
        activation="gelu",
        class_token=class_token,
        positions="learned" if class_token else "sincos",
    )
    vit.build()
    randomise(vit)
    folder = tmp_path / "vit"
    for _ in range(2):
        conversion.save_keras_hub_preset(vit, folder)
    backbone = hub.models.ViTBackbone.from_preset(str(folder))
    x = pixels(vit.image_shape)
    np.testing.assert_allclose(numpy(backbone(x)), numpy(vit(x)), atol=1e-4)
    converter = hub.layers.ImageConverter.from_preset(str(folder))
    np.testing.assert_allclose(numpy(converter(127.5 * (x + 1))), x, atol=1e-5)
    # The preset says how it takes pixels.
    source = conversion.open_source(f"keras_hub:{folder}")
    np.testing.assert_allclose(
        numpy(source.build()(x)), numpy(vit(x)), atol=1e-4
    )


def test_what_kerashub_has_not(tmp_path):
    def built(**kwargs):
        vit = backbones.ViT.from_size(
            "test", image_shape=(16, 16, 3), patch_size=8, **kwargs
        )
        vit.build()
        return vit

    with pytest.raises(ValueError, match="no activation 'gelu_tanh'"):
        conversion.to_keras_hub(built())
    conversion.to_keras_hub(built(), exact=False)
    with pytest.raises(ValueError, match="no `pre_norm`, no `num_registers`"):
        conversion.to_keras_hub(
            built(pre_norm=True, num_registers=1, activation="gelu")
        )
    (tmp_path / "a.png").write_text("")
    with pytest.raises(FileExistsError, match="Nothing was written"):
        conversion.save_keras_hub_preset(built(activation="gelu"), tmp_path)


def test_what_cannot_be_read():
    with pytest.raises(ValueError, match="SwiGLU"):
        conversion.open_source(
            hub.models.DINOV2Backbone(
                **SIZES, intermediate_dim=48, use_swiglu_ffn=True
            )
        )
    with pytest.raises(ValueError, match="can be read. Received: VGGBackbone"):
        conversion.open_source(
            hub.models.VGGBackbone(
                stackwise_num_repeats=[1],
                stackwise_num_filters=[4],
                image_shape=(32, 32, 3),
            )
        )
