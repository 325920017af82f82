import keras
import numpy as np
import pytest

from keras_ab import schedules
from tests.reference import schedules as reference

STEPS = [0, 1, 7, 50, 99, 100, 101, 500, 999, 1000, 5000]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("start, end", [(0.004, 0.0), (0.04, 0.4)])
def test_cosine(step, start, end):
    result = float(schedules.cosine(start, end, 1000)(step))
    expected = reference.cosine(start, end, 1000, step)
    assert abs(result - expected) < 1e-6


@pytest.mark.parametrize("step", STEPS)
def test_linear(step):
    expected = 0.004 - 0.004 * min(step, 1000) / 1000
    assert (
        abs(float(schedules.linear(0.004, 0.0, 1000)(step)) - expected) < 1e-9
    )


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("warmup", [0, 1, 100])
def test_linear_warmup_cosine(step, warmup):
    schedule = schedules.linear_warmup_cosine(
        1e-1, 1000, warmup, start=0.01, end=0.001
    )
    expected = reference.linear_warmup_cosine(
        1e-1, 1000, warmup, 0.01, 0.001, step
    )
    assert abs(float(schedule(step)) - expected) < 1e-6


ALL = [
    schedules.Constant(0.004),
    schedules.cosine(1.0, 0.1, 10),
    schedules.linear(1.0, 0.1, 10),
    schedules.linear_warmup_cosine(1.0, 10, 3),
    schedules.PerUpdate(schedules.cosine(1.0, 0.1, 10), 2),
]


@pytest.mark.parametrize("schedule", ALL)
def test_serialisation(schedule):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(schedule)
    )
    for step in range(12):
        assert float(again(step)) == float(schedule(step))


@pytest.mark.parametrize("schedule", ALL)
def test_as_learning_rate(schedule):
    variable = keras.Variable(10.0, trainable=False)
    optimizer = keras.optimizers.SGD(schedule)
    optimizer.build([variable])
    expected = 10.0
    for step in range(3):
        optimizer.apply([keras.ops.ones(())])
        expected -= float(schedule(step))
    np.testing.assert_allclose(float(variable.value), expected, rtol=1e-6)


def test_per_update_counts_in_steps():
    inner = schedules.cosine(1.0, 0.0, 10)
    outer = schedules.PerUpdate(inner, 4)
    for step in range(20):
        assert float(outer(step)) == float(inner(step // 4))


def test_as_schedule():
    assert float(schedules.as_schedule(0.5)(3)) == 0.5
    assert schedules.as_schedule(ALL[1]) is ALL[1]
    with pytest.raises(ValueError, match="Received: 'fast'"):
        schedules.as_schedule("fast")


@pytest.mark.parametrize(
    "call",
    [
        lambda: schedules.cosine(1.0, 0.0, 0),
        lambda: schedules.linear(1.0, 0.0, 0),
        lambda: schedules.linear_warmup_cosine(1.0, 10, 10),
        lambda: schedules.linear_warmup_cosine(1.0, 10, -1),
    ],
)
def test_wrong_lengths(call):
    with pytest.raises(ValueError, match="Received"):
        call()
