"""Near actions before far ones, by bins that hold enough pairs."""

import numpy as np
import pytest

from findings.f4_near import near_over_far


def test_few_pairs_are_put_together():
    accuracy = np.array([0.1, 0.2, 0.4, 0.9, np.nan])
    pairs = np.array([900, 400, 150, 60, 0])
    near = (0.4 * 150 + 0.9 * 60) / 210
    assert near_over_far(accuracy, pairs) == pytest.approx(near - 0.1)
    # Six of the nearest pairs alone would say 0.9.
    assert near < 0.6
    pairs = np.array([100, 400, 150, 100, 200])
    accuracy[-1] = 0.5
    far = (0.1 * 100 + 0.2 * 400) / 500
    assert near_over_far(accuracy, pairs) == pytest.approx(0.5 - far)


def test_where_all_are_few():
    accuracy = np.array([0.0, 0.5, 1.0])
    assert near_over_far(accuracy, np.array([3, 3, 3])) == pytest.approx(0.0)
