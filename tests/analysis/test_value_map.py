import numpy as np

from keras_ab import analysis
from tests.models import factory


def test_value_maps_are_values(tmp_path):
    model = factory.abclip()
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), "uint8")
    captions = ["w1", "w2 w3"]
    result = analysis.value_map(model, image, captions, size=0.4, steps=5)
    assert result.values.shape == (5, 5, 2)
    np.testing.assert_allclose(result.boxes[0, 0], [0, 0, 0.4, 0.4], atol=1e-6)
    np.testing.assert_allclose(
        result.boxes[-1, -1], [0.6, 0.6, 1, 1], atol=1e-6
    )
    single = model.value(
        image[None], result.boxes[2:3, 3:4].reshape(1, 1, 4), captions
    )
    np.testing.assert_allclose(
        np.asarray(single.detach() if hasattr(single, "detach") else single)[
            0, 0
        ],
        result.values[2, 3],
        atol=1e-6,
    )
    best = result.best(1)
    index = np.unravel_index(result.values[..., 1].argmax(), (5, 5))
    np.testing.assert_array_equal(best, result.boxes[index])
    figure = analysis.draw_value_maps(
        image, result, captions, tmp_path / "map.png"
    )
    assert len(figure.axes) == 3 + 2
    assert (tmp_path / "map.png").stat().st_size > 5000
