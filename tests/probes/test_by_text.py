"""Zero-shot classification and retrieval, on who knows and who does not."""

import numpy as np
import pytest

from keras_ab import probes
from keras_ab.probes import tasks
from tests.models import factory
from tests.probes.test_evaluate import Oracle
from tests.probes.test_evaluate import coded
from tests.probes.test_evaluate import work


class Knowing(Oracle):
    """Also knows which class a text speaks of: its last letter."""

    image_shape = (16, 16, 3)

    def __init__(self):
        super().__init__()
        self.texts = []
        self.encoder = self

    def network(self, name):
        return self

    def embed_images(self, images, network=None):
        return self(np.asarray(images) / 127.5 - 1)[:, 0]

    def embed_annotations(self, texts, network=None):
        self.texts += texts
        return np.eye(8, dtype="float32")[
            [int(t.rstrip(".")[-1]) for t in texts]
        ]


def knowing():
    return probes.FrozenEncoder(Knowing(), image_size=16)


def test_zero_shot():
    encoder = knowing()
    (result,) = probes.evaluate(encoder, [work()], ["zero_shot"]).results
    assert result.outcomes[0].value == 1.0
    assert result.settings["probe"]["templates"] == ["a photo of a {}."]
    assert encoder.encoder.texts == [
        f"a photo of a class {i}." for i in range(4)
    ]
    several = probes.ZeroShot(("the {}", "my {}"))
    (result,) = probes.evaluate(knowing(), [work()], [several]).results
    assert result.outcomes[0].value == 1.0


def test_prompts_are_averaged():
    class Templates(Knowing):
        def embed_annotations(self, texts, network=None):
            # The first template says the class, the second misleads.
            said = super().embed_annotations(texts)
            return np.where(
                [[t.startswith("no")] for t in texts], 0.4 * said[:, ::-1], said
            )

    encoder = probes.FrozenEncoder(Templates(), image_size=16)
    probe = probes.ZeroShot(("{}", "no {}"))
    (result,) = probes.evaluate(encoder, [work()], [probe]).results
    assert result.outcomes[0].value == 1.0


def test_retrieval():
    def text(label):
        return [f"class {label}", f"again {label}"]

    # Each class once, so that nothing is ambiguous.
    test = coded(200, seed=1, text=text)
    first = [
        int(np.flatnonzero(test.column("label") == c)[0]) for c in range(4)
    ]
    place = work("captions", test=test.subset(first), text=text)
    (result,) = probes.evaluate(knowing(), [place], ["retrieval"]).results
    found = {o.name: o for o in result.outcomes}
    assert [o.value for o in result.outcomes] == [1.0] * 6
    assert found["image_to_text@1"].examples == 4
    assert found["text_to_image@1"].examples == 8
    assert found["text_to_image@1"].chance == 0.25
    np.testing.assert_array_equal(
        found["text_to_image@5"].groups, np.arange(4).repeat(2)
    )
    assert found["image_to_text@1"].groups is None


def test_a_real_model():
    model = factory.clip()
    report = probes.evaluate(
        model,
        ["count", "captions"],
        ["zero_shot", "retrieval"],
        train_size=12,
        test_size=12,
    )
    assert [(r.task, r.probe) for r in report.results] == [
        ("count", "zero_shot"),
        ("captions", "retrieval"),
    ]
    for result in report.results:
        assert all(0 <= o.value <= 1 for o in result.outcomes)


def test_what_fits():
    assert probes.Retrieval().fits(tasks.Captioning())
    assert not probes.Retrieval().fits(tasks.Counting())
    assert probes.ZeroShot().fits(tasks.Classification())
    assert not probes.ZeroShot().fits(tasks.Detection())


def test_wrong_use():
    with pytest.raises(ValueError, match="embeds images and texts.*Oracle"):
        plain = probes.FrozenEncoder(Oracle(), image_size=16)
        probes.evaluate(plain, [work()], ["zero_shot"])
    with pytest.raises(ValueError, match="'{}'.*'a cup'"):
        probes.ZeroShot(("a cup",))
    with pytest.raises(ValueError, match="list of strings"):
        probes.ZeroShot("a {}")
