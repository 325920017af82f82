import keras
import numpy as np
import pytest

from keras_ab.ops import bellman_target
from tests.gradients import gradient
from tests.reference import losses as reference

RNG = np.random.default_rng(0)
REWARD = reference.softmax(RNG.normal(size=(2, 3, 5)))
Q_LOGITS = RNG.normal(size=(2, 3, 3, 5)) * 3


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.5, 1.0])
def test_against_loops(gamma):
    result = keras.ops.convert_to_numpy(bellman_target(REWARD, Q_LOGITS, gamma))
    expected = reference.bellman_target(REWARD, Q_LOGITS, gamma)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert result.min() >= 0 and result.max() <= 1


def test_no_gradient_passes():
    grads = gradient(
        lambda r, q: keras.ops.sum(bellman_target(r, q) + 0.0 * r),
        REWARD,
        Q_LOGITS,
    )
    for grad in grads:
        assert not grad.any()


def test_one_view_has_its_reward_as_fixed_point():
    # With N = 1, Q = p solves Q = (1 - γ) p + γ Q, whatever γ.
    reward = REWARD[:, :1]
    logits = np.log(reward / (1 - reward))[:, :, None]
    result = bellman_target(reward, logits, 0.7)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(result), reward, atol=1e-6
    )


def test_repeated_backup_contracts_by_gamma():
    gamma = 0.6

    def backup(q):
        # Q(i→j) takes the target of j, whatever i.
        logits = np.log(q / (1 - q))
        target = keras.ops.convert_to_numpy(
            bellman_target(REWARD, logits, gamma)
        )
        return np.repeat(target[:, None], 3, axis=1)

    a, b = RNG.uniform(0.05, 0.95, (2, *Q_LOGITS.shape))
    distance = abs(a - b).max()
    for _ in range(5):
        a, b = backup(a), backup(b)
        assert abs(a - b).max() <= gamma * distance + 1e-6
        distance = abs(a - b).max()


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan")])
def test_gamma_outside(gamma):
    with pytest.raises(ValueError, match=r"gamma.*\[0, 1\].*Received"):
        bellman_target(REWARD, Q_LOGITS, gamma)


def test_wrong_rank():
    with pytest.raises(ValueError, match=r"\(B, N, N, L\)"):
        bellman_target(REWARD, REWARD)
