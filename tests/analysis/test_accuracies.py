"""Accuracies, overlaps and neighbours, counted by plain loops."""

import numpy as np
import pytest
from keras import ops

from keras_ab import analysis
from keras_ab import data
from tests.data.test_overlap import iou
from tests.models import factory


def array(x):
    return np.array(ops.convert_to_numpy(x), "float64")


def test_overlap():
    boxes = factory.boxes(np.random.default_rng(0), 2, 5)
    found = analysis.box_iou(boxes)
    for b, i, j in np.ndindex(found.shape):
        wanted = iou(boxes[b, i].astype(float), boxes[b, j].astype(float))
        np.testing.assert_allclose(found[b, i, j], wanted, atol=1e-9)
    pairs = [found[b, i, j] for b, i, j in np.ndindex(2, 5, 5) if i != j]
    np.testing.assert_allclose(analysis.mean_overlap(boxes), np.mean(pairs))


def test_value_accuracy_by_counting():
    batch = factory.batch(images=4, values=6, views=3)
    model = factory.abclip(value_bias=-1.0)
    # Targets that are not the online network's.
    model.target.set_weights([w * 1.3 for w in model.target.get_weights()])
    found = analysis.value_accuracy(model, batch, bins=4)
    y = factory.bellman_targets(model.target, batch)
    views, boxes = batch["value"]["image"], batch["value"]["boxes"]
    ids = batch["reward"]["text"]
    right, pairs, stay, others = np.zeros(4), np.zeros(4, int), [], []
    low, size = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    corners = boxes.reshape(6, 1, 3, 2, 2) - low[:, :, None, None]
    actions = (corners / size[:, :, None, None]).reshape(18, 3, 4)
    flat = views.reshape(18, *views.shape[2:])
    q = array(model.value(flat, actions, ids, "online")).reshape(6, 3, 3, 4)
    for b, i, j in np.ndindex(6, 3, 3):
        hit = q[b, i, j].argmax() == y[b, j].argmax()
        if i == j:
            stay.append(hit)
            continue
        place = min(int(4 * iou(*boxes[b, [i, j]].astype(float))), 3)
        pairs[place] += 1
        right[place] += hit
        others.append(q[b, i, j].argmax() == y[(b + 1) % 6, j].argmax())
    np.testing.assert_array_equal(found["pairs"], pairs)
    seen = pairs > 0
    np.testing.assert_allclose(
        found["accuracy"][seen], right[seen] / pairs[seen]
    )
    assert np.isnan(found["accuracy"][~seen]).all()
    np.testing.assert_allclose(found["moving"], right.sum() / pairs.sum())
    np.testing.assert_allclose(found["staying"], np.mean(stay))
    np.testing.assert_allclose(found["shuffled"], np.mean(others))
    assert 0 < found["moving"] < 1
    alone = {k: v[:1] for k, v in batch["value"].items()}
    found = analysis.value_accuracy(model, {**batch, "value": alone})
    assert np.isnan(found["shuffled"]) and np.isfinite(found["moving"])


def held_out(count=6, views=3, seed=0):
    rng = np.random.default_rng(seed)
    crops = rng.integers(0, 256, (count, views, 16, 16, 3)).astype("uint8")
    captions = [f"w{i % 4}" for i in range(count)]
    return analysis.CaptionedCrops(
        crops, factory.boxes(rng, count, views), captions
    )


def test_crop_accuracy_by_counting():
    model, some = factory.abclip(), held_out()
    found = analysis.crop_accuracy(model, some, batch_size=4)
    texts = ["w0", "w1", "w2", "w3"]
    hits = {"reward": [], "value": [], "many_crops": []}
    crops = some.crops
    p = array(model.reward(crops.reshape(18, 16, 16, 3), texts))
    p = p.reshape(6, 3, 4)
    low, high = some.boxes[:, 0, :2], some.boxes[:, 0, 2:]
    actions = np.concatenate(
        [-low / (high - low), (1 - low) / (high - low)], axis=1
    )
    q = array(model.value(crops[:, 0], actions[:, None], texts))
    for b, caption in enumerate(some.captions):
        own = texts.index(caption)
        hits["reward"].append(p[b, 0].argmax() == own)
        hits["many_crops"].append(p[b].mean(0).argmax() == own)
        hits["value"].append(q[b, 0].argmax() == own)
    for name, values in hits.items():
        np.testing.assert_allclose(found[name], np.mean(values), err_msg=name)
    assert found["chance"] == 0.25
    assert set(analysis.crop_accuracy(factory.clip(), some)) == {
        "reward",
        "many_crops",
        "chance",
    }


class Told:
    """Says of a crop's first pixel what it was told to."""

    def __init__(self, p, q):
        self.p, self.q, self.asked = np.array(p), np.array(q), []

    def reward(self, images, texts, network):
        self.asked.append(network)
        return self.p[images[:, 0, 0, 0]]

    def value(self, images, actions, texts, network):
        self.asked.append(network)
        return self.q[images[:, 0, 0, 0]][:, None]


def test_each_accuracy_is_of_its_own_crops():
    crops = np.zeros((3, 2, 4, 4, 3), "uint8")
    crops[:, :, 0, 0, 0] = np.arange(6).reshape(3, 2)
    boxes = np.tile(np.array([0, 0, 0.5, 0.5], "float32"), (3, 2, 1))
    some = analysis.CaptionedCrops(crops, boxes, ["a", "b", "c"])
    # First crops name a, a, c, and all crops together a, b, b.
    p = np.eye(3)[[0, 0, 0, 1, 2, 1]]
    p[[2, 3]] = [0.6, 0.4, 0], [0, 1, 0]
    p[[4, 5]] = [0, 0.4, 0.6], [0, 1, 0]
    # Q of the first crops names b, b, a.
    q = np.eye(3)[[1, 0, 1, 0, 0, 0]]
    model = Told(p, q)
    found = analysis.crop_accuracy(model, some, "online", batch_size=2)
    assert found == {
        "reward": pytest.approx(2 / 3),
        "many_crops": pytest.approx(2 / 3),
        "value": pytest.approx(1 / 3),
        "chance": 1 / 3,
    }
    found = analysis.crop_accuracy(Told(p[[0, 0, 2, 2, 4, 4]], q), some)
    assert found["many_crops"] == found["reward"]
    found = analysis.crop_accuracy(Told(p, np.roll(q, 1, axis=1)), some)
    assert found["value"] == 0
    assert set(model.asked) == {"online"}


def test_captioned_crops_are_pixels_of_their_boxes():
    scenes = data.Scenes(size=3)
    some = analysis.captioned_crops(scenes, count=9, num_views=2, size=24)
    assert some.crops.shape == (3, 2, 24, 24, 3)
    for index in range(3):
        record = scenes[index]
        assert some.captions[index] in record["text"]
        for crop, box in zip(some.crops[index], some.boxes[index]):
            y0, x0, y1, x1 = np.round(box * 96).astype(int)
            cut = record["image"][y0:y1, x0:x1].astype(float)
            np.testing.assert_allclose(
                crop.mean((0, 1)), cut.mean((0, 1)), atol=6
            )
    with pytest.raises(ValueError, match="'text'.*Received"):
        analysis.captioned_crops(_Silent())
    with pytest.raises(ValueError, match="3 records, count=0"):
        analysis.captioned_crops(scenes, count=0)


class _Silent:
    fields = frozenset({"image"})


def test_neighbours_by_sorting():
    rng = np.random.default_rng(0)
    queries, features = rng.normal(size=(4, 6)), rng.normal(size=(9, 6))
    places, cosines = analysis.nearest_neighbours(queries, features, k=3)
    for q, row, values in zip(queries, places, cosines):
        angle = [q @ f / np.sqrt((q @ q) * (f @ f)) for f in features]
        order = sorted(range(9), key=lambda m: -angle[m])[:3]
        assert row.tolist() == order
        np.testing.assert_allclose(values, [angle[m] for m in order])
    with pytest.raises(ValueError, match=r"`k` must lie in \[1, 9\].*10"):
        analysis.nearest_neighbours(queries, features, k=10)
