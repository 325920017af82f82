"""The optimizer of Table 7, from a recipe's options."""

from keras_ab import optimizers
from keras_ab import schedules
from recipes import budget


def adamw(options, **kwargs):
    """AdamW with linear warm-up and a cosine, and decay that may ramp.

    Args:
        options: A recipe's options, with `learning_rate`, `warmup_steps`,
            `weight_decay` and `beta_2`; and where they differ from 0, 0 and
            `weight_decay`, `start_learning_rate`, `end_learning_rate` and
            `end_weight_decay`.
        **kwargs: Further arguments of the optimizer.

    Returns:
        A `keras_ab.optimizers.AdamW`.
    """
    steps = budget.steps(options)
    rate = schedules.linear_warmup_cosine(
        options.learning_rate,
        steps,
        options.warmup_steps,
        start=getattr(options, "start_learning_rate", 0.0),
        end=getattr(options, "end_learning_rate", 0.0),
    )
    decay = options.weight_decay
    end = getattr(options, "end_weight_decay", decay)
    return optimizers.AdamW(
        rate,
        weight_decay=schedules.cosine(decay, end, steps)
        if end != decay
        else decay,
        beta_2=options.beta_2,
        epsilon=1e-8,
        **kwargs,
    )
