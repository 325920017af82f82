"""AdamW with decoupled weight decay, in NumPy."""

import numpy as np


def adamw(weight, gradients, rates, decays, beta_1, beta_2, epsilon):
    """The weight after each update.

    The decay is `rate · decay` of the weight before the update, as in
    Loshchilov and Hutter 2019, Algorithm 2, with the rate in the decay as
    PyTorch and Keras have it; `epsilon` is added to the root of the second
    moment before its bias is corrected, as Keras does.
    """
    weight = np.asarray(weight, "float64")
    first, second, weights = 0.0, 0.0, []
    for step, (rate, decay) in enumerate(zip(rates, decays), start=1):
        gradient = gradients(weight, step - 1)
        first = beta_1 * first + (1 - beta_1) * gradient
        second = beta_2 * second + (1 - beta_2) * gradient**2
        scale = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        weight = weight - rate * decay * weight
        weight = weight - scale * first / (np.sqrt(second) + epsilon)
        weights.append(weight)
    return weights
