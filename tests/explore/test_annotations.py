"""What of annotations the page must say, or refuse."""

import threading

import numpy as np
import pytest

pytest.importorskip("dash")

from PIL import Image

from keras_ab import analysis
from keras_ab import data
from keras_ab.explore import Explorer
from keras_ab.explore import Gallery
from keras_ab.explore import make_app
from keras_ab.objectives import Classification
from tests.explore import asked
from tests.models import crops
from tests.models import factory
from tests.models import rewards


@pytest.fixture(scope="module")
def gallery():
    return Gallery(data.Scenes(size=3))


@pytest.fixture(scope="module")
def abclip():
    return factory.abclip()


def component(app, name):
    """The component of an id."""
    return next(
        one
        for one in app.layout._traverse()
        if getattr(one, "id", None) == name
    )


def test_one_annotation_has_no_share(abclip, tmp_path):
    for number in range(2):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(
            tmp_path / f"{number}.png"
        )
    explorer = Explorer({"a": abclip}, Gallery(data.from_folder(tmp_path)))
    assert explorer.annotations.others == []
    app = make_app(explorer, "w1")
    assert component(app, "others").value == ""
    box = (0, 0, 0.5, 0.5)
    seen = asked.show(app, "w1", box=box)
    written = asked.texts(seen["numbers-0.children"])
    assert "1.000" not in written
    assert "p here:  –" in written
    assert "write others" in asked.texts(seen["message.children"])
    (scene,) = explorer.scenes("0", "w1", chosen=box).values()
    assert np.isnan(scene.best.rewards).all()
    assert np.isnan(scene.chosen.rewards).all()
    # Q needs no others.
    expected = analysis.value_map(abclip, explorer.gallery["0"], ["w1"])
    np.testing.assert_array_equal(scene.values.values, expected.values)
    # The same beside another.
    seen = asked.show(app, "w1", "w2", box=box)
    assert "–" not in asked.texts(seen["numbers-0.children"])
    assert not asked.texts(seen["message.children"])


def test_one_picture_has_no_share():
    gallery = Gallery(data.Scenes(size=1))
    explorer = Explorer({"a": rewards.absimclr()}, gallery)
    (scene,) = explorer.scenes("0", "0").values()
    assert np.isnan(scene.best.rewards).all()
    assert any("drop another picture" in text for text in scene.notices)


def changed(seed):
    """An ABDINO whose online network is another than its target network."""
    model = crops.abdino()
    rng = np.random.default_rng(seed)
    for weight in model.online.trainable_weights:
        weight.assign(np.array(weight) + rng.normal(0, 0.5, weight.shape))
    return model


def likeliest(model, image, network):
    view = analysis.crop_view(image, (0, 0, 1, 1), (16, 16))
    return int(np.array(model.reward(view[None], None, network))[0].argmax())


def test_the_prototype_is_the_network_s_own(gallery):
    model = changed(0)
    wanted = [
        likeliest(model, gallery["1"], name) for name in ("online", "target")
    ]
    assert wanted[0] != wanted[1]
    explorer = Explorer({"a": model}, gallery, "online")
    order, labels = explorer.annotations.among("1")
    assert order[0] == wanted[0]
    assert labels[0] == f"annotation {wanted[0]}"


def test_each_model_has_its_own_label(gallery):
    models = {"one": changed(0), "two": changed(1)}
    names = [
        f"annotation {likeliest(model, gallery['1'], 'online')}"
        for model in models.values()
    ]
    assert names[0] != names[1]
    app = make_app(Explorer(models, gallery, "online"))
    seen = asked.show(app, "1")
    for place, name in enumerate(names):
        assert f"“{name}”" in asked.texts(seen[f"numbers-{place}.children"])


def test_models_are_called_under_the_lock_alone(gallery, monkeypatch):
    model = crops.abdino()
    explorer = Explorer({"a": model}, gallery)
    app = make_app(explorer)
    held = []
    reward = model.reward

    def watched(*args):
        held.append(explorer._lock.locked())
        return reward(*args)

    monkeypatch.setattr(model, "reward", watched)
    asked.show(app, "1")
    asked.show(app, "1", picture="2")
    assert held and all(held)
    # The prototype is asked for once: a look each time, and that.
    assert len(held) == 3


def test_sessions_at_once_get_their_own_numbers(gallery):
    explorer = Explorer({"a": crops.abdino()}, gallery)
    keys = gallery.offered * 2
    found = [None] * len(keys)

    def work(place):
        (scene,) = explorer.scenes(keys[place], keys[place]).values()
        found[place] = scene.values.values

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key, values in zip(keys, found):
        order = explorer.annotations.among(key)[0]
        alone = analysis.value_map(
            explorer.models["a"], explorer.gallery[key], order[:1]
        )
        np.testing.assert_allclose(values, alone.values, atol=1e-6)
    assert len({values.tobytes() for values in found}) == len(set(keys))


def classes(names, count=5):
    return rewards.bootstrapping(Classification(count, names))


@pytest.mark.parametrize(
    "names, count, message",
    [
        (["w1", "cat", "w3", "w4", "w5"], 5, "'w2' and 'cat' at index 1"),
        (["w1", "w3", "w2", "w4", "w5"], 5, "'w2' and 'w3' at index 1"),
        (["w1", "w2"], 2, "5 and 2"),
        (None, 5, "5 and none"),
    ],
)
def test_other_names_are_not_compared(gallery, names, count, message):
    models = {"a": rewards.classes(), "b": classes(names, count)}
    with pytest.raises(ValueError, match=f"annotation_names.*{message}.*'b'"):
        Explorer(models, gallery)


def test_the_same_names_are_compared(gallery):
    models = {"a": rewards.classes(), "b": rewards.cosine_classes()}
    scenes = Explorer(models, gallery).scenes("0", "2")
    assert [scene.labels[0] for scene in scenes.values()] == ["w3", "w3"]


@pytest.mark.parametrize(
    "wanted, others, parts",
    [
        ("w1 zebra", "Unicorn, w2\nzebra w3", ["know", "zebra, Unicorn."]),
        ("!!!", "w1", ["“!!!” holds no word", "empty caption"]),
        ("w1", "...", ["“...” holds no word"]),
    ],
)
def test_what_the_tokenizer_does_not_know(
    abclip, gallery, wanted, others, parts
):
    app = make_app(Explorer({"a": abclip}, gallery), "w1")
    seen = asked.show(app, wanted, others)
    message = asked.texts(seen["message.children"])
    assert all(part in message for part in parts), message
    assert "w1" not in message and "w3" not in message
    assert "numbers-0.children" in seen
    assert not asked.texts(asked.show(app, "W1", "w2")["message.children"])


def test_whose_words_are_unknown(abclip, gallery):
    other = factory.abclip()
    words = ["zebra", *(f"w{i}" for i in range(17))]
    other.online.objective("reward").tokenizer = data.WordTokenizer(
        words, sequence_length=factory.LENGTH
    )
    app = make_app(Explorer({"a": abclip, "b": other}, gallery), "w1")
    seen = asked.show(app, "zebra", "w1\nunicorn")
    message = asked.texts(seen["message.children"])
    assert "a: Words" in message and "zebra, unicorn." in message
    assert "b: Words" in message and ": unicorn." in message


def test_a_dropped_picture_is_an_annotation(gallery):
    explorer = Explorer({"a": rewards.absimclr()}, gallery)
    picture = gallery["0"][::-1]
    key = asked_drop(make_app(explorer), picture)
    (scene,) = explorer.scenes("1", key).values()
    assert scene.labels[0] == "mine.png"
    view = analysis.crop_view(picture, (0, 0, 1, 1), (16, 16))
    expected = analysis.value_map(
        explorer.models["a"], gallery["1"], view[None]
    )
    np.testing.assert_array_equal(scene.values.values, expected.values)
    with pytest.raises(ValueError, match="drop it again"):
        explorer.scenes("1", "dropped-none")


def asked_drop(app, picture):
    got = asked.ask(
        app,
        "picture.options",
        upload__contents=asked.url(Image.fromarray(picture), "PNG"),
        upload__filename="mine.png",
    )
    key = got["picture.value"]
    assert got["wanted.options"][key] == "mine.png"
    return key


@pytest.mark.parametrize(
    "build, wanted, value",
    [
        (rewards.classes, "w4", "3"),
        (rewards.classes, "3", "3"),
        (rewards.classes, "", "0"),
        (lambda: classes(["2", "1", "0"], 3), "2", "0"),
        (crops.abdino, "2", "2"),
    ],
)
def test_the_first_annotation_by_name(gallery, build, wanted, value):
    app = make_app(Explorer({"a": build()}, gallery), wanted)
    assert component(app, "wanted").value == value


def test_a_picture_by_its_name(gallery):
    app = make_app(
        Explorer({"a": rewards.absimclr()}, gallery), gallery.names["1"]
    )
    assert component(app, "wanted").value == "1"


def test_an_annotation_that_is_not_there(gallery):
    explorer = Explorer({"a": rewards.classes()}, gallery)
    with pytest.raises(ValueError, match="one of.*w5.*Received: 'cat'"):
        make_app(explorer, "cat")


def test_others_are_read_when_they_are_left(abclip, gallery):
    app = make_app(Explorer({"a": abclip}, gallery), "w1")
    (inputs, state) = next(
        (found["inputs"], found["state"])
        for key, found in app.callback_map.items()
        if "map-0.figure" in key
    )
    assert {"id": "others", "property": "value"} in state
    assert {"id": "others", "property": "n_blur"} in inputs
    assert {"id": "others", "property": "value"} not in inputs
