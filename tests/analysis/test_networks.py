"""The network that is asked for is the one that answers."""

import numpy as np
import pytest
from keras import ops

from keras_ab import analysis
from keras_ab import data
from keras_ab.data.scenes import describe
from tests.analysis.test_accuracies import held_out
from tests.models import factory

IMAGE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), "uint8")
WORDS = ["w1", "w2", "w3 w4"]


def moved(model, name, seed):
    """Draws a network's weights anew."""
    rng = np.random.default_rng(seed)
    network = model.network(name)
    network.set_weights(
        [w + 0.3 * rng.normal(size=w.shape) for w in network.get_weights()]
    )


def look(model, **kwargs):
    seen = analysis.look(model, IMAGE, [(0, 0, 0.5, 0.5)], WORDS, **kwargs)
    return [seen.values, seen.rewards, seen.here]


def path(model, **kwargs):
    found = analysis.greedy_path(model, IMAGE, WORDS, places=4, **kwargs)
    return [found.values, found.rewards]


ASKED = {
    "value_map": lambda model, **kwargs: [
        analysis.value_map(model, IMAGE, WORDS, steps=3, **kwargs).values
    ],
    "look": look,
    "greedy_path": path,
    "value_ranks": lambda model, **kwargs: [
        analysis.value_ranks(
            model, data.Scenes(size=12), describe, boxes=9, **kwargs
        )
    ],
    "crop_accuracy": lambda model, **kwargs: [
        [*analysis.crop_accuracy(model, held_out(40), **kwargs).values()]
    ],
    "predictions": lambda model, **kwargs: [
        *analysis.predictions(model, IMAGE, WORDS, **kwargs).values()
    ],
    "token_colours": lambda model, **kwargs: [
        analysis.token_colours(model, IMAGE[None], **kwargs)
    ],
    "attention_maps": lambda model, **kwargs: [
        analysis.attention_maps(model, IMAGE[None], **kwargs)
    ],
}


@pytest.mark.parametrize("name", ASKED)
def test_the_network_asked_for(name):
    ask, model = ASKED[name], factory.abclip()
    moved(model, "target", 1)
    lagging = ask(model)
    moved(model, "online", 2)
    # The target network by default, whatever the online one is.
    for kwargs in ({}, {"network": "target"}):
        for one, other in zip(ask(model, **kwargs), lagging):
            np.testing.assert_array_equal(one, other)
    online = ask(model, network="online")
    for one, other in zip(online, lagging):
        assert not np.array_equal(one, other)
    # What the target network says with the online one's weights.
    model.target.set_weights(
        [ops.convert_to_numpy(w) for w in model.online.weights]
    )
    for one, other in zip(ask(model), online):
        np.testing.assert_allclose(one, other, atol=1e-6)
