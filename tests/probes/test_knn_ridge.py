"""kNN and ridge against plain NumPy and scikit-learn, exactly."""

import json

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from keras_ab import probes


def blobs(count, classes=5, dim=12, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(classes, dim))
    labels = rng.integers(0, classes, count)
    return centres[labels] + noise * rng.normal(size=(count, dim)), labels


def plain_knn(train, labels, test, k, temperature):
    """One example after the other, by a full sort."""
    predictions = []
    for x in test:
        cosines = [x @ t / np.linalg.norm(x) / np.linalg.norm(t) for t in train]
        nearest = sorted(range(len(train)), key=lambda i: -cosines[i])[:k]
        votes = {}
        for i in nearest:
            weight = np.exp(cosines[i] / temperature)
            votes[labels[i]] = votes.get(labels[i], 0) + weight
        predictions.append(max(sorted(votes), key=votes.get))
    return np.array(predictions)


@pytest.mark.parametrize("k, temperature", [(1, 1.0), (20, 0.07), (33, 0.5)])
def test_knn_against_plain_numpy(k, temperature):
    train, labels = blobs(200)
    test, _ = blobs(150, seed=1)
    # Labels need not be numbers from 0.
    labels = 10 * labels - 7
    fitted = probes.KNN(k, temperature).fit(train, labels)
    expected = plain_knn(train, labels, test, k, temperature)
    np.testing.assert_array_equal(fitted.predict(test), expected)


def test_knn_of_equally_near_neighbours_takes_the_first():
    # All of the training examples are the same, the labels are not.
    train = np.ones((50, 3))
    labels = np.array([3] * 4 + [1] * 46)
    result = probes.knn_predict(train, labels, np.ones((2, 3)), k=7)
    np.testing.assert_array_equal(result, [3, 3])
    # Two and two votes of one weight: the smaller label.
    labels = np.array([3, 3, 1, 1] + [2] * 46)
    assert probes.knn_predict(train, labels, np.ones((1, 3)), k=4)[0] == 1


@pytest.mark.parametrize("count", [300, 9])
def test_ridge_against_scikit_learn(count):
    # Both with more examples than features and with fewer.
    train, labels = blobs(count)
    test, _ = blobs(80, seed=1)
    fitted = probes.Ridge(shots=None, l2=3.0).fit(train, labels)
    mean, std = train.mean(0), train.std(0) + 1e-5

    def features(x):
        return np.c_[(x - mean) / std, np.full(len(x), 100.0)]

    classes = np.unique(labels)
    targets = np.where(labels[:, None] == classes, 1.0, -1.0)
    model = SklearnRidge(alpha=3.0, fit_intercept=False, solver="svd")
    expected = model.fit(features(train), targets).predict(features(test))
    np.testing.assert_allclose(fitted.scores(test), expected, atol=1e-8)
    np.testing.assert_array_equal(
        fitted.predict(test), classes[expected.argmax(1)]
    )


def test_few_shots_are_few():
    train, labels = blobs(300)
    labels[labels == 4] = 3
    labels[:2] = 4
    fitted = probes.Ridge(shots=5).fit(train, labels)
    assert fitted.details["examples"] == 4 * 5 + 2
    test, truth = blobs(200, noise=0.5, seed=1)
    train, labels = blobs(300, noise=0.5)
    hits = probes.few_shot_hits(train, labels, test, truth, shots=(1, 20))
    assert hits[1].shape == (3, 200)
    assert 0.3 < hits[1].mean() < hits[20].mean()
    # Other draws, other hits.
    assert (hits[1][0] != hits[1][1]).any()


def test_settings_are_ready_for_json():
    for probe in (
        probes.KNN(),
        probes.Ridge(),
        probes.LinearProbe(),
        probes.MAPProbe(),
        probes.FineTune(),
    ):
        config = probe.config()
        assert json.loads(json.dumps(config)) == config
        assert config["probe"] == probe.name
        assert probe.needs in ("pooled", "tokens", "images")


def test_classes_that_training_never_showed():
    train, labels = blobs(60, classes=3)
    test, truth = blobs(60, classes=5, seed=1)
    predicted = probes.KNN(3).fit(train, labels).predict(test)
    assert set(predicted) <= {0, 1, 2}
    unseen = probes.count_unseen(labels, truth)
    assert unseen == (truth > 2).sum() > 0
    assert (predicted != truth).sum() >= unseen


@pytest.mark.parametrize(
    "fit",
    [
        lambda x, y: probes.KNN().fit(x, y[:5]),
        lambda x, y: probes.KNN(k=99).fit(x, y),
        lambda x, y: probes.KNN(k=0),
        lambda x, y: probes.Ridge(shots=0),
        lambda x, y: probes.Ridge().fit(x, y.astype(float)),
        lambda x, y: probes.KNN(k=2).fit(x[:, None], y),
        lambda x, y: probes.KNN(k=2).fit(np.where(x > 0, x, np.nan), y),
        lambda x, y: probes.LinearProbe(rates=()),
        lambda x, y: probes.LinearProbe(optimizer="lars"),
        lambda x, y: probes.LinearProbe(strengths=(0.0,)),
        lambda x, y: probes.MAPProbe().fit(x, y),
        lambda x, y: probes.FineTune(layer_decay=2.0),
        lambda x, y: probes.LinearProbe().fit(x[:0], y[:0]),
    ],
)
def test_wrong_input(fit):
    with pytest.raises(ValueError, match="Received"):
        fit(*blobs(10))
