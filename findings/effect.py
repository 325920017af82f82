"""An effect: a number, and what its interval is made of."""

import dataclasses

import numpy as np

from keras_ab.probes import bootstrap_interval
from keras_ab.probes.intervals import percentiles


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a claim comes to with one seed, positive in the paper's direction.

    Args:
        value: Float.
        values: Floats of shape `(B,)`, what each test example contributes,
            `value` being their mean; None for what is no mean of examples.
        groups: Ints of shape `(B,)`, examples that belong together (boxes of
            one image), or None.
        resampled: Floats, the effect on resampled examples, for what is no
            mean; or None.
    """

    value: float
    values: np.ndarray | None = None
    groups: np.ndarray | None = None
    resampled: np.ndarray | None = None

    @classmethod
    def of(cls, effect):
        """An effect, of a number too.

        Args:
            effect: An `Effect` or a float.

        Returns:
            An `Effect`.
        """
        return effect if isinstance(effect, cls) else cls(float(effect))

    @classmethod
    def between(cls, one, other):
        """How much larger one outcome is than another on the same examples.

        Args:
            one: A `keras_ab.probes.Outcome`.
            other: A `keras_ab.probes.Outcome`.

        Returns:
            An `Effect`.
        """
        gain = one.value - other.value
        if one.per_example is not None and other.per_example is not None:
            values = np.subtract(one.per_example, other.per_example)
            return cls(gain, values, one.groups)
        if one.resampled is not None and other.resampled is not None:
            # Both were resampled alike.
            return cls(
                gain, resampled=np.subtract(one.resampled, other.resampled)
            )
        return cls(gain)

    def interval(self):
        """The 95% bootstrap interval over test examples.

        Returns:
            `(low, high)`, floats; None where there are no examples.
        """
        if self.values is not None:
            found = bootstrap_interval(self.values, groups=self.groups)
        elif self.resampled is not None and np.isfinite(self.resampled).any():
            found = percentiles(self.resampled)
        else:
            return None
        return tuple(map(float, found))


def difference(ours, base, figure):
    """How much larger a figure of one run is than of another.

    Args:
        ours: A `findings.run.Run`, of any seed.
        base: A `Run`.
        figure: String, `"TASK/PROBE"`.

    Returns:
        Callable, as `findings.finding.Claim.effect`.
    """

    def effect(get, seed):
        one, other = (get(r.seeded(seed)).result(figure) for r in (ours, base))
        for what in ("settings", "data", "crop"):
            if getattr(one, what) != getattr(other, what):
                raise ValueError(
                    f"{figure} of {ours.title} and of {base.title} was not "
                    f"measured alike: their {what} differ."
                )
        return Effect.between(one.outcomes[0], other.outcomes[0])

    return effect


def beyond(first, second):
    """How much larger one gain is than another, which counts only as a gain.

    A method that loses much in one figure and nothing in another has gained
    nothing in the other.

    Args:
        first: Callable, as `findings.finding.Claim.effect`.
        second: Callable.

    Returns:
        Callable.
    """

    def effect(get, seed):
        one, other = Effect.of(first(get, seed)), Effect.of(second(get, seed))
        if other.value <= 0:
            return one
        if _alike([one, other]):
            return Effect(
                one.value - other.value, one.values - other.values, one.groups
            )
        return Effect(one.value - other.value)

    return effect


def mean(*effects):
    """The mean of effects.

    Args:
        *effects: Callables, as `findings.finding.Claim.effect`.

    Returns:
        Callable.
    """

    def effect(get, seed):
        found = [Effect.of(one(get, seed)) for one in effects]
        value = float(np.mean([one.value for one in found]))
        if not _alike(found):
            return Effect(value)
        values = np.mean([one.values for one in found], axis=0)
        return Effect(value, values, found[0].groups)

    return effect


def _alike(effects):
    """Whether effects are means over the same examples."""
    return len({np.shape(e.values) for e in effects}) == 1 and all(
        e.values is not None for e in effects
    )
