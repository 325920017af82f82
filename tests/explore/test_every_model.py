"""The explorer and its page over each kind of annotations."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("dash")

from keras_ab import analysis
from keras_ab import data
from keras_ab.explore import Explorer
from keras_ab.explore import Gallery
from keras_ab.explore import make_app
from keras_ab.explore.page import figure
from tests.explore import asked
from tests.models import crops
from tests.models import factory
from tests.models import rewards

MODELS = {
    "abclip": (factory.abclip, "w1", "w2\nw3"),
    "absimclr": (rewards.absimclr, "1", ""),
    "abdino": (crops.abdino, "1", ""),
}
BOX = (0.1, 0.2, 0.6, 0.8)


@pytest.mark.parametrize("network", [None, "online"])
@pytest.mark.parametrize("name", MODELS)
def test_a_session(name, network):
    build, wanted, others = MODELS[name]
    models = {"one": build(), "two": build()}
    # The online network is not the target network.
    for model in models.values():
        for weight in model.online.trainable_weights:
            noise = np.random.default_rng(1).normal(0, 0.3, weight.shape)
            weight.assign(np.array(weight) + noise)
    gallery = Gallery(data.Scenes(size=3))
    explorer = Explorer(models, gallery, network)
    app = make_app(explorer, wanted)

    seen = asked.show(app, wanted, others, box=BOX)
    scenes = explorer.scenes("0", wanted, others, chosen=BOX)
    assert scenes.keys() == models.keys()
    assert not np.array_equal(
        scenes["one"].values.values, scenes["two"].values.values
    )
    for place, (key, model) in enumerate(models.items()):
        scene = scenes[key]
        annotations, labels = explorer._own[key].among(wanted, others)
        assert scene.labels == labels
        expected = analysis.value_map(
            model, gallery["0"], annotations[:1], network=network
        )
        np.testing.assert_array_equal(scene.values.values, expected.values)
        look = analysis.look(
            model, gallery["0"], [BOX], annotations, network=network
        )
        np.testing.assert_allclose(scene.chosen.rewards, look.rewards)
        np.testing.assert_allclose(scene.chosen.values, look.values)
        written = asked.texts(seen[f"numbers-{place}.children"])
        assert labels[0] in written
        assert figure(look.values[0, 0]) in written
        assert figure(look.rewards[0, 0]) in written
        assert seen[f"map-{place}.figure"]["data"][0]["type"] == "heatmap"
    assert asked.texts(seen["message.children"]) == ""

    after = asked.step(app, wanted)["state.data"]
    assert after["steps"] == 1
    for key, model in models.items():
        annotations, _ = explorer._own[key].among(wanted, others)
        path = analysis.greedy_path(
            model, gallery["0"], annotations, steps=2, network=network
        )
        scene = explorer.scenes("0", wanted, others, steps=2)[key]
        np.testing.assert_allclose(scene.path[1:], path.boxes)


@pytest.mark.parametrize("name", MODELS)
def test_pictures_of_any_make(name):
    build, wanted, others = MODELS[name]
    explorer = Explorer({"one": build()}, Gallery(data.Scenes(size=2)))
    app = make_app(explorer, wanted)
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 4), "uint8")
    whole = Image.fromarray(pixels, "RGBA")
    made = {
        "grey.png": asked.url(whole.convert("L"), "PNG"),
        "clear.png": asked.url(whole, "PNG"),
        "film.gif": asked.url(
            whole.convert("P"),
            "GIF",
            save_all=True,
            append_images=[whole.convert("P")],
        ),
        "tiny.png": asked.url(whole.convert("RGB").crop((0, 0, 1, 1)), "PNG"),
        "long.webp": asked.url(whole.convert("RGB").resize((900, 2)), "WEBP"),
    }
    by_picture = explorer.annotations.by_picture
    for name, contents in made.items():
        got = asked.ask(
            app,
            "picture.options",
            upload__contents=contents,
            upload__filename=name,
        )
        key = got["picture.value"]
        assert got["picture.options"][key] == name
        assert ("wanted.options" in got) == by_picture
        if by_picture:
            assert got["wanted.options"][key] == name
            wanted = key
        seen = asked.show(app, wanted, others, picture=key, box=BOX)
        (scene,) = explorer.scenes(key, wanted, others).values()
        assert np.isfinite(scene.values.values).all()
        assert np.isfinite(scene.best.rewards).all()
        written = asked.texts(seen["numbers-0.children"])
        assert figure(scene.best.values[0, 0]) in written


def test_a_session_of_a_named_set():
    explorer = Explorer({"a": rewards.classes()}, Gallery(data.Scenes(size=2)))
    app = make_app(explorer, "w4")
    seen = asked.show(app, "3")
    (scene,) = explorer.scenes("0", "3").values()
    assert scene.labels == ["w4", "w1", "w2", "w3", "w5"]
    assert "of “w4” among 5" in asked.texts(seen["numbers-0.children"])
