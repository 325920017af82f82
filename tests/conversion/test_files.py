"""Files of other libraries: outputs equal theirs, written in NumPy."""

import keras
import numpy as np
import pytest

from keras_ab import backbones
from keras_ab import conversion
from keras_ab import models
from keras_ab.conversion.timm_export import timm_state_dict
from tests.reference import named_vits
from tests.reference.transformer import resize_grid

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = (
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
)


def images(side=32):
    """Pixels in [-1, 1], as ours takes them."""
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (2, side, side, 3)).astype("float32")


def scaled(pixels, mean, std):
    return ((pixels + 1) / 2 - np.array(mean)) / np.array(std)


def check_close(ours, theirs):
    ours = keras.ops.convert_to_numpy(ours)
    assert np.abs(theirs).max() > 1
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


KINDS = {
    "timm, DINO": {},
    "without class token": {"cls": False},
    "DINOv2": {"registers": 3, "scales": True},
    "normalised first": {"pre_norm": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_timm(rng, tmp_path, kind):
    from safetensors.numpy import save_file

    state = named_vits.timm_state(rng, **KINDS[kind])
    extra = {"head.weight": np.zeros((3, 64), "float32")}
    prefixed = {f"module.backbone.{k}": v for k, v in state.items()}
    for name, arrays in {"a": state, "b": prefixed}.items():
        save_file({**arrays, **extra}, tmp_path / f"{name}.safetensors")
    x = images()
    theirs = named_vits.timm(scaled(x, *IMAGENET), state, heads=2)
    for name in "ab":
        source = conversion.open_source(
            tmp_path / f"{name}.safetensors", pixels="imagenet", num_heads=2
        )
        assert source.unused == ["head.weight"]
        check_close(source.build()(x), theirs)


def test_positions_of_registers(rng):
    # timm's own models with registers have positions for them.
    state = named_vits.timm_state(rng, registers=3)
    state["reg_token"] = state.pop("register_tokens")
    state["pos_embed"] = rng.normal(0, 0.2, (1, 20, 64)).astype("float32")
    source = conversion.open_source(state, "signed", num_heads=2)
    theirs = named_vits.timm(images(), state, heads=2)
    check_close(source.build()(images()), theirs)


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_open_clip(rng, activation):
    state = named_vits.timm_state(rng, pre_norm=True)
    renamed = named_vits.open_clip_state(state)
    source = conversion.open_source(
        {**renamed, "visual.proj": np.zeros(3), "logit_scale": np.zeros(())},
        activation=activation,
        num_heads=2,
    )
    assert source.unused == ["logit_scale", "visual.proj"]
    theirs = named_vits.timm(
        scaled(images(), *CLIP), state, 2, activation, epsilon=1e-5
    )
    check_close(source.build()(images()), theirs)


@pytest.mark.parametrize("cls", [True, False])
@pytest.mark.parametrize("prefix", ["", "params/img/"])
def test_big_vision(rng, tmp_path, cls, prefix):
    state = named_vits.big_vision_state(rng, cls=cls)
    tokens, pooled = named_vits.big_vision(images(), state)
    given = named_vits.stacked(state) if prefix else state
    given = {prefix + name: value for name, value in given.items()}
    np.savez(tmp_path / "a.npz", **given, other=np.zeros(3))
    source = conversion.open_source(tmp_path / "a.npz")
    assert source.unused == ["other"]
    vit = source.build()
    assert vit.num_heads == 2
    check_close(vit(images()), tokens)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(vit.pool(vit(images()))), pooled, atol=1e-4
    )


def test_vision_transformer_counts_parts(rng):
    state = named_vits.big_vision_state(rng)
    tokens, _ = named_vits.big_vision(images(), state)
    renamed = {}
    for name, value in state.items():
        if "MAPHead" in name:
            continue
        if "encoderblock" in name:
            name = name.replace("LayerNorm_1", "LayerNorm_2")
            name = name.replace("Attention_0", "Attention_1")
            name = name.replace("MlpBlock_0", "MlpBlock_3")
        if name == "pos_embedding":
            name = "Transformer/posembed_input/pos_embedding"
        renamed[name] = value
    source = conversion.open_source(renamed)
    assert source.arguments["pooling"] == "cls"
    check_close(source.build()(images()), tokens)


def test_mae_has_our_fixed_positions(rng):
    from keras_ab.layers.sincos import sincos_table

    state = named_vits.timm_state(rng)
    table = sincos_table((4, 4), 64)
    state["pos_embed"] = np.concatenate([np.zeros((1, 64)), table])[None]
    state["mask_token"] = np.zeros((1, 1, 64))
    source = conversion.open_source(state, "signed", num_heads=2)
    assert source.unused == ["mask_token"]
    vit = source.build(positions="sincos")
    theirs = named_vits.timm(images(), state, heads=2)
    check_close(vit(images()), theirs)
    # Others than the fixed ones cannot be taken.
    state["pos_embed"] = state["pos_embed"] + 0.1
    source = conversion.open_source(state, "signed", num_heads=2)
    with pytest.raises(ValueError, match="positions are fixed"):
        source.build(positions="sincos")


def test_positions_are_resized(rng):
    state = named_vits.timm_state(rng)
    source = conversion.open_source(state, "signed", num_heads=2)
    vit = source.build(image_shape=(48, 24, 3))
    first, rest = state["pos_embed"][0, :1], state["pos_embed"][0, 1:]
    state["pos_embed"] = np.concatenate(
        [first, resize_grid(rest, (4, 4), (6, 3))]
    )[None]
    x = np.random.default_rng(2).uniform(-1, 1, (1, 48, 24, 3))
    wide = conversion.open_source(
        state, "signed", num_heads=2, image_shape=(48, 24, 3)
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(vit(x)),
        keras.ops.convert_to_numpy(wide.build()(x)),
        atol=1e-5,
    )


# Into a model.


def test_a_model_and_its_target(rng):
    state = named_vits.timm_state(rng)
    source = conversion.open_source(state, "signed", num_heads=2)
    encoder = backbones.ViT(**source.arguments, name="image_encoder")
    model = models.SimCLR(encoder, hidden_dims=(8,), target_rate=0.1)
    report = conversion.warm_start(model, source)
    theirs = named_vits.timm(images(), state, heads=2)
    for network in (model.online, model.target):
        check_close(network.encoder(images()), theirs)
    assert sorted(report.taken) == sorted(source.arrays)
    assert not report.missing and not report.differing
    assert str(report).startswith(f"{len(source.arrays)} weights were taken.")


def test_what_does_not_fit_is_listed(rng):
    state = named_vits.timm_state(rng)
    state["decoder.weight"] = np.zeros(3)
    source = conversion.open_source(state, "signed", num_heads=2)
    vit = backbones.ViT(
        **{
            **source.arguments,
            "num_layers": 3,
            "intermediate_dim": 64,
            "activation": "gelu_tanh",
            "class_token": False,
            "pooling": "map",
        }
    )
    vit.build((None, 32, 32, 3))
    before = vit.get_weights()
    with pytest.raises(ValueError) as error:
        conversion.warm_start(vit, source)
    for said in (
        "activation is 'gelu_tanh', the source's 'gelu'",
        "the encoder has no class_embedding",
        "block_0/mlp/expand/kernel has shape (64, 64), the source's (64, 96)",
        "the source has no block_2/attention/qkv/kernel",
        "Nothing was changed",
    ):
        assert said in str(error.value)
    assert all(map(np.array_equal, before, vit.get_weights()))
    report = conversion.warm_start(vit, source, strict=False)
    assert "block_0/attention/qkv/kernel" in report.taken
    assert "block_2/mlp_norm/gamma" in report.missing
    assert "pooling/query" in report.missing
    assert {"class_embedding", "decoder.weight"} <= set(report.unused)
    assert len(report.differing) > 5


def test_another_width_is_refused(rng):
    state = named_vits.timm_state(rng)
    source = conversion.open_source(state, "signed", num_heads=2)
    with pytest.raises(ValueError, match=r"has shape \(32,\)"):
        source.build(hidden_dim=32)


# What cannot be read.


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda s: s.pop("patch_embed.proj.weight"), "no layout"),
        (lambda s: s.pop("blocks.1.norm2.bias"), "lacks 'blocks.1.norm2.b"),
        (lambda s: s.update({"blocks.0.mlp.w12.weight": 0}), "SwiGLU"),
        (lambda s: s.update({"blocks.0.attn.q_norm.weight": 0}), "inside its"),
        (lambda s: s.update(pos_embed=np.zeros((1, 14, 64))), "14 positions"),
        (lambda s: s.pop("norm.weight"), "no last normalisation"),
    ],
)
def test_what_is_not_understood(rng, change, match):
    state = named_vits.timm_state(rng)
    change(state)
    with pytest.raises(ValueError, match=match):
        conversion.open_source(state, "signed", num_heads=2)


def test_what_must_be_told(rng):
    state = named_vits.timm_state(rng, dim=32)
    with pytest.raises(ValueError, match="pass `pixels`"):
        conversion.open_source(state)
    with pytest.raises(ValueError, match="pass `num_heads`"):
        conversion.open_source(state, "signed")
    with pytest.raises(ValueError, match="'imagenet', 'clip', 'signed'"):
        conversion.open_source(state, "unit", num_heads=2)
    with pytest.raises(ValueError, match="three numbers each"):
        conversion.open_source(state, ((0.5,), (0.5,)), num_heads=2)


def test_files_run_no_code(tmp_path):
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "a.npz", **{"embedding/kernel": pickled})
    with pytest.raises(ValueError, match="cannot be read"):
        conversion.open_source(tmp_path / "a.npz")
    (tmp_path / "a.pth").write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(ValueError, match="can run code"):
        conversion.open_source(tmp_path / "a.pth")
    for name in ("b.npz", "b.safetensors"):
        (tmp_path / name).write_bytes(b"\x80\x04cos\nsystem\n")
        with pytest.raises(ValueError, match="cannot be read"):
            conversion.open_source(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="Accepted"):
        conversion.open_source(tmp_path / "c.npz")


# And back.


@pytest.mark.parametrize(
    "kind",
    [
        {"class_token": True, "pooling": "cls", "activation": "gelu"},
        {"positions": "sincos"},
        {"pre_norm": True, "num_registers": 2, "class_token": True},
        {"pooling": "map", "activation": "quick_gelu"},
    ],
)
def test_to_timm_and_back(tmp_path, rng, kind):
    vit = backbones.ViT.from_size(
        "test", image_shape=(32, 32, 3), patch_size=8, **kind
    )
    vit.build()
    vit.set_weights(
        [w + rng.normal(0, 0.1, w.shape) for w in vit.get_weights()]
    )
    ours = keras.ops.convert_to_numpy(vit(images()))
    theirs = named_vits.timm(images(), timm_state_dict(vit), 2, vit.activation)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    path = tmp_path / "a.safetensors"
    conversion.save_timm(vit, path)
    again = conversion.open_source(path).build(pooling=vit.pooling)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again.pool(again(images()))),
        keras.ops.convert_to_numpy(vit.pool(vit(images()))),
        atol=1e-5,
    )
    assert conversion.timm_arguments(vit)["act_layer"] == vit.activation
