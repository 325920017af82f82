"""What training asks of any Keras optimizer, beyond what it does itself.

The functions work on the optimizer that the user passed to `compile`, so
that `model.optimizer` stays what it was. `AdamW` is Keras' own with a weight
decay that may follow a schedule.
"""

from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.schedules import PerUpdate
from keras_ab.typing import Rate
from keras_ab.typing import Tensor
from keras_ab.typing import is_real

# The public class itself, but on PyTorch the fused one that it stands for:
# a subclass of the public one would update variables one by one.
_AdamW: Any = type(keras.optimizers.AdamW.__new__(keras.optimizers.AdamW))


@keras.saving.register_keras_serializable(package="keras_ab")
class AdamW(_AdamW):
    """Keras' AdamW, with a weight decay that may follow a schedule.

    At each update, a decayed weight loses `learning_rate · weight_decay` of
    itself, both read at the number of updates made before; micro-steps of
    gradient accumulation do not count. `keras_ab.models.Pretrainer` confines
    the decay to kernels.

    Args:
        learning_rate: A float, or a schedule.
        weight_decay: A float, or a schedule: a callable on an integer update
            count that Keras can save, such as `keras_ab.schedules.cosine`.
        beta_1: Float in [0, 1), decay of the first moment.
        beta_2: Float in [0, 1), decay of the second moment.
        epsilon: Small float, added to the root of the second moment.
        **kwargs: As in `keras.optimizers.AdamW`: `global_clipnorm=1.0` clips
            the norm of all gradients together.

    Raises:
        ValueError: If `weight_decay` is neither a number of at least 0 nor
            callable.

    Example:

    >>> decay = keras_ab.schedules.cosine(0.04, 0.4, steps=78_125)
    >>> optimizer = keras_ab.optimizers.AdamW(1e-3, weight_decay=decay)
    >>> optimizer.weight_decay
    # 0.04

    Reference:
        Table 7 (0.04 to 0.4 for DINO, I-JEPA and SimCLR).
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: Rate = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            **kwargs,
        )

    @property
    def weight_decay(self) -> float | Tensor:
        """The decay at the present update: a number, or a float32 scalar."""
        decay = self._weight_decay
        return self._at_present(decay) if callable(decay) else decay

    @weight_decay.setter
    def weight_decay(self, decay: Rate) -> None:
        number = is_real(decay) and decay >= 0.0
        if not (number or callable(decay)):
            raise ValueError(
                "`weight_decay` must be a number of at least 0, or a schedule "
                f"on the update count. Received: {decay!r}"
            )
        self._weight_decay = decay

    def apply(
        self,
        grads: Sequence[Tensor],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        # TensorFlow hands over the gradients of embeddings as slices, and
        # would take the norm of those before equal rows are added up. Their
        # own shapes may be unknown there.
        grads = [
            g if g is None else ops.reshape(g, like.shape)
            for g, like in zip(grads, trainable_variables or grads)
        ]
        return super().apply(grads, trainable_variables)

    def _at_present(self, schedule):
        # `iterations` counts updates, here where gradients accumulate too.
        return ops.cast(schedule(self.iterations), "float32")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        decay = self._weight_decay
        if callable(decay):
            decay = keras.saving.serialize_keras_object(decay)
        return {**config, "weight_decay": decay}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> Self:
        config = dict(config)
        decay = config["weight_decay"]
        if isinstance(decay, dict):
            config["weight_decay"] = keras.saving.deserialize_keras_object(
                decay, custom_objects
            )
        return super().from_config(config, custom_objects)


def innermost(
    optimizer: keras.optimizers.Optimizer,
) -> keras.optimizers.Optimizer:
    """The optimizer inside a `LossScaleOptimizer`, or the optimizer itself.

    Args:
        optimizer: A Keras optimizer.

    Returns:
        A Keras optimizer that wraps no other.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.inner_optimizer
    return optimizer


def micro_steps(optimizer: keras.optimizers.Optimizer) -> int:
    """Micro-steps to one update: 1 unless gradients are accumulated.

    Args:
        optimizer: A Keras optimizer.

    Returns:
        Int.
    """
    return innermost(optimizer).gradient_accumulation_steps or 1


def micro_step_counter(optimizer: keras.optimizers.Optimizer) -> keras.Variable:
    """The variable that counts micro-steps.

    `optimizer.iterations` is not it: under gradient accumulation that is a
    number, of updates.

    Args:
        optimizer: A Keras optimizer.

    Returns:
        A `keras.Variable`, an integer scalar.
    """
    return next(
        v for v in innermost(optimizer).variables if v.name == "iteration"
    )


def late_share(
    optimizer: keras.optimizers.Optimizer, age: Tensor, updates: Tensor
) -> Tensor | float:
    """What is right of a step of a weight that did not move from the start.

    Adam divides its averages by what they lack of a full one, as counted
    from the first update. The averages of a weight that moves later begin
    later: with a short-lived average of gradients and a long-lived one of
    their squares, its steps would be up to seven times too long, for
    hundreds of updates. PyTorch counts for each weight by itself.

    Args:
        optimizer: A Keras optimizer, not wrapped.
        age: int32 scalar, updates of the weight made so far; below 0 where
            it does not move yet.
        updates: int32 scalar, updates of all weights made so far.

    Returns:
        Float32 scalar to multiply the step by; 1 where the optimizer is not
        an Adam.
    """
    if not isinstance(optimizer, keras.optimizers.Adam):
        return 1.0

    def correction(made):
        count = ops.cast(ops.maximum(made, 0) + 1, "float32")
        first = 1.0 - ops.power(float(optimizer.beta_1), count)
        return ops.sqrt(1.0 - ops.power(float(optimizer.beta_2), count)) / first

    return correction(age) / correction(updates)


def is_decayed(variable: keras.Variable) -> bool:
    """Whether weight decay applies: to kernels, and to nothing else.

    Biases, norms, embeddings, positions, tokens, temperatures and the value
    head's bias are exempt, as in big_vision.

    Args:
        variable: A `keras.Variable`.

    Returns:
        Bool.
    """
    return variable.name == "kernel" and len(variable.shape) > 1


def decay_kernels_only(
    optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]
) -> None:
    """Exempts all variables but kernels from weight decay.

    Keras loses exclusions when it saves an optimizer, so this runs at every
    `compile`, the one inside `load_model` included.

    Args:
        optimizer: An optimizer that is not built yet.
        variables: The variables that it will train.
    """
    optimizer = innermost(optimizer)
    if optimizer.built:
        # A user's optimizer that is compiled a second time kept its own.
        return
    optimizer.exclude_from_weight_decay(
        var_list=[v for v in variables if not is_decayed(v)]
    )


def count_updates(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes a learning-rate schedule count updates, not micro-steps.

    Args:
        optimizer: An optimizer; its schedule, where it has one, is wrapped
            when it accumulates gradients.
    """
    steps = micro_steps(optimizer)
    optimizer = innermost(optimizer)
    schedule = optimizer.get_config()["learning_rate"]
    if steps == 1 or not isinstance(schedule, dict):
        return
    schedule = keras.saving.deserialize_keras_object(schedule)
    if isinstance(schedule, PerUpdate) or not callable(schedule):
        return
    optimizer.learning_rate = PerUpdate(schedule, steps)


def portable(config: Any) -> Any:
    """A compile config that loads under every backend.

    On PyTorch, Keras writes optimizers down as its PyTorch-only classes,
    which fail under the other backends.

    Args:
        config: A serialised compile config, nested dicts.

    Returns:
        The same, with optimizers named as in `keras.optimizers`.
    """
    if isinstance(config, list):
        return [portable(value) for value in config]
    if not isinstance(config, dict):
        return config
    config = {key: portable(value) for key, value in config.items()}
    private = str(config.get("module", "")).startswith("keras.src.backend.")
    if private and hasattr(keras.optimizers, config["class_name"]):
        config.update(module="keras.optimizers", registered_name=None)
    return config
