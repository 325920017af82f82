"""Ranks of the named object's box, with models that know or do not."""

import types

import numpy as np
import pytest

from keras_ab import analysis
from keras_ab import data
from keras_ab import probes
from keras_ab.data import scenes


class Knowing:
    """Prefers boxes whose middle is near the named object, or far from it."""

    encoder = types.SimpleNamespace(image_shape=(16, 16, 3))

    def __init__(self, source, sign):
        self.source, self.sign, self.index = source, sign, -1
        self.asked = []

    def value(self, views, actions, annotations, network):
        record = self.find(annotations[0], views)
        (chosen,) = (
            i
            for i, name in enumerate(zip(record["classes"], record["colours"]))
            if scenes.describe(*name) == annotations[0]
        )
        box = record["boxes"][chosen]
        self.asked.append((box, actions[0]))
        middle = (actions[0, :, :2] + actions[0, :, 2:]) / 2
        far = np.abs(middle - (box[:2] + box[2:]) / 2).max(axis=1)
        return (-self.sign * far)[None, :, None]

    def find(self, caption, views):
        """The next record that has such an object."""
        while True:
            self.index += 1
            record = self.source[self.index]
            names = zip(record["classes"], record["colours"])
            said = [scenes.describe(*name) for name in names]
            seen = analysis.crop_view(record["image"], (0, 0, 1, 1), (16, 16))
            if caption in said and (seen == views[0]).all():
                return record


def ranks(sign, **kwargs):
    source = data.Scenes(size=30)
    model = Knowing(source, sign)
    found = analysis.value_ranks(
        model, source, scenes.describe, count=12, **kwargs
    )
    return found, model


def test_who_knows_ranks_first():
    found, model = ranks(1.0)
    assert found.shape == (12,)
    assert found.mean() < 0.02
    for box, asked in model.asked:
        # The first box holds the object, and all are of the size.
        assert (asked[0, :2] <= box[:2] + 1e-6).all()
        assert (asked[0, 2:] >= box[2:] - 1e-6).all()
        np.testing.assert_allclose(asked[:, 2:] - asked[:, :2], 0.35, atol=1e-6)
        assert asked.shape == (65, 4)
    away, _ = ranks(-1.0)
    assert away.mean() > 0.9


def test_who_knows_nothing_is_at_chance():
    found, _ = ranks(0.0)
    np.testing.assert_array_equal(found, 0.5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_who_only_knows_where_things_tend_to_be_is_at_chance(sign):
    class Central:
        """Prefers boxes in the middle, or at the edges, whatever is there."""

        encoder = Knowing.encoder

        def value(self, views, actions, annotations, network):
            middle = (actions[0, :, :2] + actions[0, :, 2:]) / 2
            return -sign * np.abs(middle - 0.5).sum(axis=1)[None, :, None]

    found = analysis.value_ranks(
        Central(), data.Scenes(size=250), scenes.describe, count=250
    )
    low, high = probes.bootstrap_interval(found)
    assert low < 0.5 < high and high - low < 0.1


def test_no_object():
    with pytest.raises(ValueError, match=r"30 records, size=0.01"):
        ranks(1.0, size=0.01)
    bare = types.SimpleNamespace(fields=frozenset({"image"}))
    with pytest.raises(ValueError, match=r"'colours'. Received.*'image'"):
        analysis.value_ranks(Knowing(bare, 1.0), bare, scenes.describe)
