"""Actions that are taken but not told."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import actions

BOXES = np.array(
    [[[0.0, 0, 0.5, 0.5], [0.25, 0.25, 1, 1], [0, 0, 1, 1]]], "float32"
)


def test_all_but_the_tokens_is_as_before():
    plain = actions.RelativeCrops(num_bins=16)
    masked = actions.MaskedActions(plain)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(masked.relative(BOXES)),
        ops.convert_to_numpy(plain.relative(BOXES)),
    )
    for name in ("state_key", "state_size", "action_size", "num_tokens"):
        assert getattr(masked, name) == getattr(plain, name)
    for space in (plain, masked):
        with pytest.raises(ValueError, match="ymin < ymax"):
            space.check_states(BOXES[..., [2, 1, 0, 3]])
        with pytest.raises(ValueError, match="finite"):
            space.check_actions(BOXES * np.nan)
    views = [s.sample((3, 4), 4, (32, 48)) for s in (plain, masked)]
    for a, b in zip(*views):
        np.testing.assert_array_equal(a, b)


def test_tokens_are_learnt_and_all_the_same():
    masked = actions.MaskedActions()
    layer = masked.tokenizer(8)
    layer.build((None, None, 4))
    assert len(layer.trainable_weights) == 1
    relative = masked.relative(BOXES)
    tokens = ops.convert_to_numpy(layer(relative))
    assert tokens.shape == (1, 3, 3, 4, 8)
    assert (tokens == tokens[:, :1, :1]).all()
    # As large as the tokens that they stand for.
    plain = actions.RelativeCrops().tokenizer(64)(relative)
    large = ops.convert_to_numpy(masked.tokenizer(64)(relative))
    ratio = large.std() / ops.convert_to_numpy(plain).std()
    assert 0.7 < ratio < 1.4


def test_serialisation():
    masked = actions.MaskedActions(actions.RelativeCrops(num_bins=7))
    config = keras.saving.serialize_keras_object(masked)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == masked.get_config()
    assert again.actions.num_bins == 7
