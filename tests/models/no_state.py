"""What every model promises: looking changes nothing."""

import keras
import numpy as np

from tests.models import factory


def state(model):
    variables = [*model.variables, *model.optimizer.variables]
    held = {id(v) for v in model.metrics_variables}
    return {
        f"{i} {v.path}": np.array(keras.ops.convert_to_numpy(v))
        for i, v in enumerate(variables)
        if id(v) not in held
    }


def changed(before, after):
    assert before.keys() == after.keys()
    return {k for k in before if (before[k] != after[k]).any()}


def check_unchanged(before, model):
    found = changed(before, state(model))
    assert not found, found


def check_looking_writes_nothing(model, batch):
    """`evaluate`, `predict` and readings leave all but metrics as it was.

    Centres, temperatures, counters, BatchNorm statistics and seed generators
    are among what is compared; a training step must change some of it.

    Args:
        model: A compiled `keras_ab.models.Pretrainer`.
        batch: A batch for it, as NumPy arrays.
    """
    data = factory.Batches([batch, batch])
    model.fit(data, verbose=0, shuffle=False)
    before = state(model)
    logs = model.evaluate(data, verbose=0, return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    check_unchanged(before, model)
    model.predict_on_batch(batch)
    check_unchanged(before, model)
    again = model.evaluate(data, verbose=0, return_dict=True)
    assert again == logs
    check_unchanged(before, model)
    for network in ("online", "target") if model.target else ("online",):
        for part in batch.values():
            images = part.get("image")
            if images is not None:
                images = images if images.ndim == 4 else images[:, 0]
                model.encode(images, network=network)
    check_unchanged(before, model)
    model.fit(data, verbose=0, shuffle=False)
    assert changed(before, state(model))
