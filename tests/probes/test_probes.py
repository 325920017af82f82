"""Probes against scikit-learn, against loops, and on oracles."""

import types

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_ab import probes
from keras_ab.data import scenes
from tests.models import factory

RNG = np.random.default_rng(0)


def blobs(count, classes=4, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(classes, 6))
    labels = rng.integers(0, classes, count)
    return centres[labels] + noise * rng.normal(size=(count, 6)), labels


def test_knn_against_loops():
    train, labels = blobs(60)
    test, _ = blobs(25, seed=1)
    expected = []
    for x in test:
        cosines = train @ x
        cosines /= np.linalg.norm(train, axis=1) * np.linalg.norm(x)
        votes = np.zeros(4)
        for i in np.argsort(-cosines)[:7]:
            votes[labels[i]] += np.exp(cosines[i] / 0.1)
        expected.append(votes.argmax())
    result = probes.knn_predict(train, labels, test, k=7, temperature=0.1)
    np.testing.assert_array_equal(result, expected)


def test_linear_is_logistic_regression():
    train, labels = blobs(300)
    test, _ = blobs(100, seed=1)
    scaler = StandardScaler().fit(train)
    expected = (
        LogisticRegression(C=1.0, max_iter=500)
        .fit(scaler.transform(train), labels)
        .predict(scaler.transform(test))
    )
    result = probes.linear_predict(train, labels, test, strengths=(1.0,))
    np.testing.assert_array_equal(result, expected)


def test_linear_chooses_its_strength():
    train, labels = blobs(200, noise=0.1)
    test, truth = blobs(100, noise=0.1, seed=1)
    assert (probes.linear_predict(train, labels, test) == truth).mean() > 0.95


def test_probes_find_nothing_in_noise():
    train, labels = RNG.normal(size=(400, 8)), RNG.integers(0, 4, 400)
    test, truth = RNG.normal(size=(400, 8)), RNG.integers(0, 4, 400)
    for predict in (probes.knn_predict, probes.linear_predict):
        assert abs((predict(train, labels, test) == truth).mean() - 0.25) < 0.1


def test_intervals_cover():
    inside = 0
    for seed in range(100):
        values = np.random.default_rng(seed).random(200) < 0.3
        low, high = probes.bootstrap_interval(values, samples=400, seed=seed)
        inside += low <= 0.3 <= high
    assert 88 <= inside <= 100
    with pytest.raises(ValueError, match="vector"):
        probes.bootstrap_interval([])


def images(count=6):
    return np.random.default_rng(1).integers(
        0, 256, (count, 16, 16, 3), dtype="uint8"
    )


def test_features_are_the_models_and_change_nothing():
    model = factory.clip()
    before = model.get_weights()
    features = probes.extract_features(model, images(), batch_size=4)
    np.testing.assert_allclose(features, model.pool(images()), atol=1e-5)
    tokens = probes.extract_features(model, images(), output="tokens")
    np.testing.assert_allclose(tokens, model.encode(images()), atol=1e-5)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="'pooled'"):
        probes.extract_features(model, images(), output="logits")


def test_views():
    flat = np.full((2, 32, 24, 3), 77, "uint8")
    result = probes.extract_views(flat, (16, 16))
    assert result.shape == (2, 16, 16, 3) and (result == 77).all()
    with pytest.raises(ValueError, match="uint8"):
        probes.extract_views(flat.astype("float32"), (16, 16))


class Oracle:
    """Knows an image's class by its first pixel, and boxes by heart."""

    encoder = type("E", (), {"image_shape": (16, 16, 3)})

    def embed_annotations(self, texts, network=None):
        return np.eye(20, dtype="float32")[[int(t[1:]) for t in texts]]

    def embed_images(self, views, network=None):
        return np.eye(20, dtype="float32")[views[:, 0, 0, 0]]

    def reward(self, views, texts, network=None):
        return self.embed_images(views) @ self.embed_annotations(texts).T

    def value(self, views, actions, captions, network=None):
        # Likes to go right.
        return actions[:, :, 1:2] + np.zeros(len(captions))


def numbered(count):
    pixels = np.arange(count, dtype="uint8")[:, None, None, None]
    return np.broadcast_to(pixels, (count, 16, 16, 3)).copy()


def test_zero_shot_and_reward_of_an_oracle():
    prompts = [f"w{i}" for i in range(10)]
    result = probes.zero_shot_predict(Oracle(), numbered(10), prompts)
    np.testing.assert_array_equal(result, np.arange(10))
    several = [[f"w{i}", f"w{i + 10}"] for i in range(10)]
    result = probes.zero_shot_predict(Oracle(), numbered(10), several)
    np.testing.assert_array_equal(result, np.arange(10))
    ranks = probes.reward_ranks(Oracle(), numbered(10), prompts, group=5)
    np.testing.assert_array_equal(ranks, np.zeros(10))
    ranks = probes.reward_ranks(
        Oracle(), numbered(10), prompts[1:] + prompts[:1], group=5
    )
    assert ranks.mean() > 1


@pytest.fixture(scope="module")
def queries():
    source = scenes.Scenes(size=120, split="test")
    return source, probes.forced_choice_queries(
        source, scenes.describe, count=100, size=(16, 16)
    )


def test_no_queries():
    bare = types.SimpleNamespace(fields=frozenset({"image", "text"}))
    with pytest.raises(ValueError, match=r"'colours'. Received.*'text'"):
        probes.forced_choice_queries(bare, scenes.describe)
    with pytest.raises(ValueError, match="No record has.*2 records"):
        probes.forced_choice_queries(
            scenes.Scenes(size=2), scenes.describe, area=(1e-3, 1e-3)
        )


def test_queries_show_and_hide(queries):
    _, built = queries
    assert 60 < len(built.views) <= 100
    assert built.views.shape[1:] == (16, 16, 3)
    sides = built.actions[..., 2:] - built.actions[..., :2]
    # The two targets have the same size, so that it gives nothing away.
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], rtol=1e-4)
    assert (abs(built.actions[:, 0] - built.actions[:, 1]).max(1) > 0.05).all()
    assert 0.05 < built.seen.mean() < 0.9


class Ramps:
    """White objects on pictures whose other channels say where a pixel is."""

    fields = frozenset({"image", "boxes", "classes", "colours"})

    def __init__(self, count, side=64):
        rng = np.random.default_rng(0)
        y, x = np.mgrid[:side, :side]
        self.records = []
        for _ in range(count):
            corner = rng.integers(0, side - 16, 2)
            top, left, bottom, right = *corner, *(corner + 16)
            image = np.stack([3 * y, 3 * x, 0 * x], -1).astype("uint8")
            image[top:bottom, left:right, 2] = 255
            box = np.array([top, left, bottom, right]) / side
            record = {"image": image, "boxes": box[None]}
            self.records.append({**record, "classes": [0], "colours": [0]})

    def __len__(self):
        return len(self.records)

    def __getitem__(self, index):
        return self.records[index]


def test_the_first_way_is_the_one_that_shows_the_object():
    source = Ramps(60)
    built = probes.forced_choice_queries(
        source, lambda *_: "it", count=60, size=(32, 32)
    )
    assert len(built.views) > 30
    white = built.targets[..., 2] > 127
    assert white[:, 0].any((1, 2)).all()
    assert not white[:, 1].any()
    # Where a crop lies, by its channels' middle and span.
    crops = np.concatenate([built.views[:, None], built.targets], 1)
    ramps = crops[..., :2].astype("float64") / 3 / 64
    middle = ramps.mean((2, 3)) + 0.5 / 64
    span = np.stack(
        [
            ramps[:, :, -1, :, 0].mean(2) - ramps[:, :, 0, :, 0].mean(2),
            ramps[:, :, :, -1, 1].mean(2) - ramps[:, :, :, 0, 1].mean(2),
        ],
        -1,
    )
    sides = span * 32 / 31
    view, ways = slice(0, 1), slice(1, 3)
    corner = middle[:, view] - sides[:, view] / 2
    ends = np.concatenate(
        [
            (middle[:, ways] + sign * sides[:, ways] / 2 - corner)
            / sides[:, view]
            for sign in (-1, 1)
        ],
        -1,
    )
    np.testing.assert_allclose(built.actions, ends, rtol=0.1, atol=0.15)
    # A view that shows much of the object has seen it, one without has not.
    shown = (built.views[..., 2] > 127).mean((1, 2)) * sides[:, 0].prod(-1)
    share = shown / (16 / 64) ** 2
    assert built.seen[share > 0.4].all() and not built.seen[share < 0.2].any()


def test_forced_choice(queries):
    _, built = queries
    hits = probes.forced_choice(Oracle(), built)
    right = built.actions[:, 0, 1] > built.actions[:, 1, 1]
    np.testing.assert_array_equal(hits == 1, right)
    shuffled = built.shuffled()
    assert (shuffled.actions != built.actions).any(axis=(1, 2)).all()
    order = np.lexsort(built.actions.reshape(-1, 8).T)
    again = np.lexsort(shuffled.actions.reshape(-1, 8).T)
    np.testing.assert_array_equal(built.actions[order], shuffled.actions[again])
    hits = probes.forced_choice(factory.abclip(), _captioned(built))
    assert set(hits) <= {0.0, 0.5, 1.0}


def test_the_ceiling_looks_at_the_targets(queries):
    _, built = queries
    count = len(built.views)
    assert built.targets.shape == (count, 2, 16, 16, 3)
    # The oracle reads a number off the pixels and a word.
    seen = _captioned(built)
    words = np.array([1, 2] * (len(seen.captions) // 2))
    pixels = np.zeros((len(words), 2, 16, 16, 3), "uint8")
    pixels[:, 0] = words[:, None, None, None]
    seen.targets = pixels
    hits = probes.forced_choice_ceiling(Oracle(), seen, batch_size=7)
    np.testing.assert_array_equal(hits, 1)
    seen.targets = pixels[:, ::-1]
    np.testing.assert_array_equal(
        probes.forced_choice_ceiling(Oracle(), seen), 0
    )


def _captioned(built):
    built = type(built)(**vars(built))
    built.captions = ["w1", "w2"] * (len(built.views) // 2)
    count = len(built.captions)
    built.views, built.actions = built.views[:count], built.actions[:count]
    return built


@pytest.mark.parametrize(
    "call",
    [
        lambda x, y: probes.knn_predict(x, y[:5], x),
        lambda x, y: probes.knn_predict(x, y, x, k=0),
        lambda x, y: probes.knn_predict(x, y, x, k=99),
        lambda x, y: probes.linear_predict(x, y[:5], x),
    ],
)
def test_wrong_input(call):
    with pytest.raises(ValueError, match="Received"):
        call(*blobs(10))
