"""What training asks of any Keras optimizer, beyond what it does itself.

Both functions work on the optimizer that the user passed to `compile`, so
that `model.optimizer` stays what it was.
"""

import keras

from keras_ab.schedules import PerUpdate


def innermost(optimizer):
    """The optimizer inside a `LossScaleOptimizer`, or the optimizer itself."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.inner_optimizer
    return optimizer


def micro_steps(optimizer):
    """Micro-steps to one update: 1 unless gradients are accumulated."""
    return innermost(optimizer).gradient_accumulation_steps or 1


def micro_step_counter(optimizer):
    """The variable that counts micro-steps.

    `optimizer.iterations` is not it: under gradient accumulation that is a
    number, of updates.
    """
    return next(
        v for v in innermost(optimizer).variables if v.name == "iteration"
    )


def is_decayed(variable):
    """Whether weight decay applies: to kernels, and to nothing else.

    Biases, norms, embeddings, positions, tokens, temperatures and the value
    head's bias are exempt, as in big_vision.

    Args:
        variable: A `keras.Variable`.

    Returns:
        Bool.
    """
    return variable.name == "kernel" and len(variable.shape) > 1


def decay_kernels_only(optimizer, variables):
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


def count_updates(optimizer):
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


def portable(config):
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
