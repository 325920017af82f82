"""Retrieval and class names."""

import numpy as np
import pytest

from keras_ab import probes
from tests.models import factory

OWNERS = np.array([2, 0, 1, 2, 3, 0, 4, 5, 6, 7, 8, 9, 10, 11])


def random(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 4))


def plain_recall(images, texts, owners, k):
    """By loops over sorted similarities."""

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    to_text, to_image = [], []
    for i, image in enumerate(images):
        best = sorted(range(len(texts)), key=lambda t: -cosine(image, texts[t]))
        to_text.append(any(owners[t] == i for t in best[:k]))
    for t, text in enumerate(texts):
        best = sorted(
            range(len(images)), key=lambda i: -cosine(images[i], text)
        )
        to_image.append(owners[t] in best[:k])
    return to_text, to_image


def test_recall_against_loops():
    images, texts = random(12, 0), random(14, 1)
    texts += images[OWNERS]
    hits = probes.retrieval_hits(images, texts, OWNERS)
    assert len(hits) == 6
    for k in (1, 5, 10):
        to_text, to_image = plain_recall(images, texts, OWNERS, k)
        np.testing.assert_array_equal(hits[f"image_to_text@{k}"], to_text)
        np.testing.assert_array_equal(hits[f"text_to_image@{k}"], to_image)
    assert 0 < hits["image_to_text@1"].mean() < 1


def test_embeddings_that_are_all_the_same_find_nothing():
    hits = probes.retrieval_hits(np.ones((12, 4)), np.ones((14, 4)), OWNERS)
    assert not any(found.any() for found in hits.values())


def test_chance_of_recall():
    chance = probes.retrieval_chance(OWNERS, 12)
    found = {name: [] for name in chance}
    for seed in range(150):
        hits = probes.retrieval_hits(
            random(12, 2 * seed), random(14, 2 * seed + 1), OWNERS
        )
        for name in found:
            found[name].append(hits[name].mean())
    for name, value in chance.items():
        # Embeddings in four dimensions are not quite independent of rank.
        assert abs(np.mean(found[name]) - value) < 0.03, name


def test_a_model_retrieves():
    model = factory.clip(target_rate=0.1)
    images = factory.batch(images=3)["reward"]["image"]
    captions = [["w1", "w2 w3"], ["w4"], ["w5"]]
    hits = probes.retrieve(model, images, captions, batch_size=2)
    expected = probes.retrieval_hits(
        model.embed_images(images),
        model.embed_annotations(["w1", "w2 w3", "w4", "w5"]),
        [0, 0, 1, 2],
    )
    for name in expected:
        np.testing.assert_array_equal(hits[name], expected[name])
    with pytest.raises(ValueError, match="2 for 3"):
        probes.retrieve(model, images, captions[:2])


def test_wrong_owners():
    x = np.eye(4)
    for owners in ([0, 1, 2, 2], [0, 1, 2, 4], [0, 1, 2], [-1, 0, 1, 2]):
        with pytest.raises(ValueError, match="Received"):
            probes.retrieval_hits(x, x, owners)


def test_class_names():
    prompts = probes.class_prompts(["cat", "{} dog"], ["a {}.", "the {}"])
    assert prompts == [["a cat.", "the cat"], ["a {} dog.", "the {} dog"]]
    with pytest.raises(ValueError, match="each of 3 classes. Received: 2"):
        probes.class_prompts(["cat", "dog"], num_classes=3)
    for wrong in (([], ["a {}"]), ("cat", ["a {}"]), (["cat"], ["a cat"])):
        with pytest.raises(ValueError, match="Received"):
            probes.class_prompts(*wrong)
    model = factory.clip()
    with pytest.raises(ValueError, match="a prompt or more"):
        probes.zero_shot_predict(model, np.zeros((1, 16, 16, 3)), [["w1"], []])
