"""Fixed positions against MAE's formula."""

import numpy as np
import pytest
from keras import ops

from keras_ab import layers
from keras_ab.layers.sincos import sincos_table
from tests.reference import sincos


@pytest.mark.parametrize("grid", [(14, 14), (3, 5), (1, 2)])
@pytest.mark.parametrize("hidden_dim", [4, 12, 384])
def test_the_table(grid, hidden_dim):
    result = sincos_table(grid, hidden_dim)
    expected = sincos.table(*grid, hidden_dim)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert result.dtype == np.float32


def test_the_first_half_holds_columns():
    table = sincos_table((3, 5), 8).reshape(3, 5, 8)
    assert (table[0, :, :4] == table[2, :, :4]).all()
    assert (table[:, 0, 4:] == table[:, 3, 4:]).all()
    assert len(np.unique(table[0, :, 0])) == 5
    assert len(np.unique(table[:, 0, 4])) == 3


def test_positions_are_added():
    layer = layers.SinCosPositions((3, 5), 8)
    tokens = np.random.default_rng(0).normal(size=(2, 15, 8)).astype("float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(tokens)),
        tokens + sincos.table(3, 5, 8),
        atol=1e-6,
    )
    assert not layer.weights


def test_positions_of_some_patches():
    layer = layers.SinCosPositions((3, 5), 8)
    ids = np.array([[14, 0, 3], [7, 7, 2]])
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.at(ids)),
        sincos.table(3, 5, 8)[ids],
        atol=1e-6,
    )


def test_another_grid_lies_between():
    layer = layers.SinCosPositions((4, 4), 8)
    zeros = np.zeros((1, 64, 8), "float32")
    fine = ops.convert_to_numpy(layer(zeros, grid_shape=(8, 8)))[0]
    # The centre of patch 1 of 8 is a quarter of the way from 0 to 1 of 4.
    expected = [sincos.position(0.25, 1.25, 8)]
    np.testing.assert_allclose(fine[8 + 3 : 8 + 4], expected, atol=1e-6)
    same = ops.convert_to_numpy(layer(zeros[:, :16], grid_shape=(4, 4)))[0]
    np.testing.assert_allclose(same, sincos.table(4, 4, 8), atol=1e-6)


def test_wrong_input():
    with pytest.raises(ValueError, match="multiple of 4. Received: 10"):
        layers.SinCosPositions((4, 4), 10)
    layer = layers.SinCosPositions((4, 4), 8)
    with pytest.raises(ValueError, match="16 tokens. Received: 15 tokens"):
        layer(np.zeros((1, 15, 8), "float32"))
