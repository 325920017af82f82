"""Evaluation and prediction write no state, whatever the objective."""

import pytest

from tests.callbacks import rewards
from tests.callbacks import training
from tests.models import factory
from tests.models import no_state


def clusters():
    """An objective that writes a centre of its own in training."""
    return rewards.build(rewards.Clusters(), target_rate=0.05)


def abclip():
    """With drop path, whose seeds training moves."""
    return training.build()


MODELS = {
    "abclip": (abclip, factory.batch()),
    "state of its own": (clusters, rewards.batch(0)),
}


@pytest.mark.parametrize("name", MODELS)
def test_looking_writes_nothing(name):
    make, batch = MODELS[name]
    no_state.check_looking_writes_nothing(make(), batch)


def test_what_is_written_is_found():
    class Leaky(rewards.Clusters):
        def compute_loss(self, outputs, targets, updates):
            self.update_state(outputs, targets, updates)
            return super().compute_loss(outputs, targets, updates)

    model = rewards.build(Leaky(), target_rate=0.05)
    with pytest.raises(AssertionError, match="centre"):
        no_state.check_looking_writes_nothing(model, rewards.batch(0))
