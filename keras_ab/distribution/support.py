"""Which ways of training on many devices there are, and which are refused."""

from typing import Any

import keras
import numpy as np

from keras_ab.typing import Batch

STRATEGIES = ("MirroredStrategy", "OneDeviceStrategy")
DISTRIBUTIONS = ("DataParallel", "ModelParallel")


def present() -> Any:
    """What a model that is built now is distributed by.

    Returns:
        A `keras.distribution.Distribution`, a `tf.distribute.Strategy`, or
        None for one device.

    Raises:
        ValueError: For anything but one device, `keras.distribution` on JAX
            and `tf.distribute.MirroredStrategy` on TensorFlow.
    """
    backend = keras.backend.backend()
    distribution = keras.distribution.distribution()
    if distribution is not None:
        _check_distribution(distribution, backend)
        return distribution
    if backend == "tensorflow":
        return _strategy()
    if backend == "torch":
        _check_torch()
    return None


def check_same(
    distribution: Any, optimizer: Any, steps_per_execution: int = 1
) -> None:
    """Raises `ValueError` if a model would train in another way than built.

    Args:
        distribution: What `present` returned when the model was built.
        optimizer: The optimizer that the model was compiled with.
        steps_per_execution: Int, that of `compile`.

    Raises:
        ValueError: If another distribution is set now, the optimizer was
            made outside of the strategy's scope, or it accumulates gradients,
            or the model takes several steps at once, where Keras cannot.
    """
    now = present()
    # A strategy stays with the model; its scope may be left.
    left = now is None and keras.backend.backend() == "tensorflow"
    if now is not distribution and not left:
        raise ValueError(
            "The model must be built under the distribution (or in the scope "
            "of the strategy) that it is trained with. Received: "
            f"{_name(distribution)} when it was built, {_name(now)} now"
        )
    if keras.backend.backend() != "tensorflow" or distribution is None:
        return
    steps = optimizer.gradient_accumulation_steps
    if steps and num_devices(distribution) > 1:
        raise ValueError(
            "Keras cannot accumulate gradients on several of TensorFlow's "
            "devices. Use `compile(encoder_passes=...)` where memory is "
            f"short. Received: gradient_accumulation_steps={steps}"
        )
    if steps_per_execution > 1 and num_devices(distribution) > 1:
        raise ValueError(
            "Keras cannot take several steps an execution on several of "
            "TensorFlow's devices. Received: steps_per_execution="
            f"{steps_per_execution}"
        )
    for variable in optimizer.variables:
        if not distribution.extended.variable_created_in_scope(variable.value):
            raise ValueError(
                "The model's optimizer must be made, and the model compiled, "
                f"in the scope of its {_name(distribution)}. Received: an "
                f"optimizer whose variable {variable.path} is outside"
            )


def num_devices(distribution: Any) -> int:
    """How many parts a batch is cut into.

    Args:
        distribution: What `present` returned.

    Returns:
        Int, 1 for None.
    """
    if distribution is None:
        return 1
    if isinstance(distribution, _known()):
        return distribution.num_model_replicas
    return distribution.num_replicas_in_sync


def jit_compile(distribution: Any, wanted: bool | str) -> bool | str:
    """What Keras is told of `jit_compile`.

    Args:
        distribution: What `present` returned.
        wanted: What the user asked for: a bool, or `"auto"`.

    Returns:
        A bool, or `"auto"`.

    Raises:
        ValueError: For True where XLA cannot compile a step: it takes no
            variables that lie on several of TensorFlow's devices.
    """
    tensorflow = keras.backend.backend() == "tensorflow"
    if not tensorflow or num_devices(distribution) == 1:
        return wanted
    if wanted is True:
        raise ValueError(
            "XLA cannot compile a step that several of TensorFlow's devices "
            f"share: under {_name(distribution)}, `jit_compile` must be "
            "False or 'auto'. Received: True"
        )
    return False


def check_batch(batch: Batch, distribution: Any) -> None:
    """Raises `ValueError` for a batch that devices cannot share.

    Args:
        batch: The nested dict that `fit` consumes, of all devices together.
        distribution: What `present` returned.

    Raises:
        ValueError: If a part's rows are no multiple of their number.
    """
    count = num_devices(distribution)
    if count == 1:
        return
    for path, leaf in keras.tree.flatten_with_path(batch):
        size = np.shape(leaf)[0]
        if size % count or not size:
            where = "".join(f"[{key!r}]" for key in path)
            raise ValueError(
                f"The first axis of batch{where} must be a multiple of {count},"
                " the number of devices that share the batch. Received: "
                f"{size}"
            )


def _known():
    return keras.distribution.DataParallel, keras.distribution.ModelParallel


def _name(distribution):
    return "one device" if distribution is None else type(distribution).__name__


def _check_distribution(distribution, backend):
    if backend != "jax":
        instead = (
            "use `tf.distribute.MirroredStrategy`"
            if backend == "tensorflow"
            else "PyTorch trains on one device"
        )
        raise ValueError(
            "`keras.distribution` works on the JAX backend alone; "
            f"{instead}. Received: {_name(distribution)} on {backend}"
        )
    if not isinstance(distribution, _known()):
        raise ValueError(
            f"The distribution must be one of {DISTRIBUTIONS}. Received: "
            f"{_name(distribution)}"
        )


def _strategy():
    import tensorflow as tf

    if not tf.distribute.has_strategy():
        return None
    strategy = tf.distribute.get_strategy()
    name = _name(strategy)
    if name in STRATEGIES:
        return strategy
    why = ""
    # The class behind MultiWorkerMirroredStrategy.
    if name.startswith(("CollectiveAllReduce", "MultiWorkerMirrored")):
        name = "MultiWorkerMirroredStrategy"
        why = (
            " With several workers, Keras' `fit` fails on values per replica "
            "(keras#20585); the JAX backend trains on several machines."
        )
    raise ValueError(
        f"The strategy must be one of {STRATEGIES}.{why} Received: {name}"
    )


def _check_torch():
    import torch

    group = torch.distributed
    if not (group.is_available() and group.is_initialized()):
        return
    if group.get_world_size() > 1:
        raise ValueError(
            "On PyTorch, training is on one device: losses would see each "
            "process' part of the batch alone. For several devices use the "
            "JAX or the TensorFlow backend. Received: torch.distributed with "
            f"{group.get_world_size()} processes"
        )
