"""DINO's head and its teacher, in float64 loops over layers."""

import math

import numpy as np

from tests.reference.losses import dino
from tests.reference.losses import softmax
from tests.reference.losses import unit


def gelu(x):
    """The exact one."""
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def bottleneck(features, dense):
    """The unit vector that a head makes of features.

    `dense` are pairs of kernel and bias.
    """
    x = np.asarray(features, "float64")
    for index, (kernel, bias) in enumerate(dense):
        x = x @ np.asarray(kernel, "float64") + bias
        if index < len(dense) - 1:
            x = gelu(x)
    return unit(x)


def head(features, dense, prototypes):
    return bottleneck(features, dense) @ unit(prototypes).T


def step(student, teacher, centre, student_temperature, temperature, momentum):
    """Loss of each image, and the next centre.

    Logits are `(V, B, K)` and `(G, B, K)`.
    """
    labels = softmax((teacher - centre) / temperature)
    loss = dino(student, labels, student_temperature)
    mean = teacher.reshape(-1, teacher.shape[-1]).mean(0)
    return loss, momentum * centre + (1 - momentum) * mean
