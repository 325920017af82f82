"""Says which term of a run has collapsed, and what usually helps."""

import math
import warnings
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from keras_ab.callbacks.monitor import Monitor

# Between healthy runs on the built-in scenes and forced collapses of them:
# there, features spread by 0.5 and more, with a rank above 3.
SPREAD = 0.02
RANK = 1.2
# A loss this near to ln K or ln B, an entropy this near to ln L.
NEAR_CHANCE = 0.01
NEAR_UNIFORM = 0.99
# Nats: all images get the same p(l|x). A contrast in its warm-up has 0.01, a
# temperature of 100 makes it 0.00004.
INFORMATION = 1e-3
# Shares of what the images or the annotations, the fewer, could make of it:
# the annotations in use, and how they tell images apart.
IN_USE = 0.5
TOLD_APART = 0.25

HELP = {
    "features": (
        "the features of different images are the same. A lower learning "
        "rate, a longer warm-up, larger batches or a lower temperature "
        "usually help; where there is a teacher, centring"
    ),
    "loss": (
        "the loss stays at what guessing gives. Check that the two sides of "
        "a batch belong together; a lower temperature, another learning rate "
        "or a longer warm-up usually help; for DINO, centring and a lower "
        "teacher temperature"
    ),
    "uniform": (
        "p(l|x) is the same for all annotations. A lower temperature (of the "
        "teacher, for DINO) or a higher learning rate usually help; a centre "
        "without sharpening ends here"
    ),
    "one": (
        "p(l|x) is on one annotation, or a few, whatever the image. Centring "
        "(a lower centre momentum), a higher teacher temperature, a lower "
        "learning rate, or larger batches usually help"
    ),
    "value": (
        "no value target is above chance, so there is nothing to bootstrap "
        "on. Look at the reward first; a lower discount, a value bias nearer "
        "to -ln L or a larger τ usually help"
    ),
}


class CollapseWarning(UserWarning):
    """A run has collapsed."""


class CollapseAlarm:
    """Judges the readings of a `keras_ab.callbacks.Monitor`.

    A term has failed when it looks so in `patience` readings in a row, from
    `start_step` on: before, losses near chance are nothing special. Each
    term is reported once.

    - *features*: spread or effective rank is near 0;
    - *loss*: within 1% of `chance_loss` since the last reading (and, where
      the objective is a reward, the same p(l|x) for all images);
    - *uniform*, *one*: p(l|x) at ln L, or on one annotation or a few, and
      the same for all images;
    - *value*: no value target is above 1/L.

    Args:
        action: `"warn"`, or `"stop"` to end training as well.
        patience: Positive int, readings in a row.
        start_step: Int, the first step that is judged.

    Attributes:
        raised: Dict from failed terms, such as `"reward loss"`, to messages.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> alarm = keras_ab.callbacks.CollapseAlarm(action="stop")
    >>> monitor = keras_ab.callbacks.Monitor(alarm=alarm)
    """

    def __init__(
        self, action: str = "warn", patience: int = 2, start_step: int = 100
    ):
        if action not in ("warn", "stop"):
            raise ValueError(
                f"`action` must be 'warn' or 'stop'. Received: {action!r}"
            )
        if not patience >= 1:
            raise ValueError(
                f"`patience` must be at least 1. Received: {patience}"
            )
        self.action = action
        self.patience = patience
        self.start_step = start_step
        self.raised: dict[str, Any] = {}
        self._in_a_row: dict[str, int] = {}

    def judge(self, monitor: "Monitor", losses: dict[str, float]) -> None:
        """Takes a reading, and raises the alarm where it is due.

        Args:
            monitor: The `Monitor`, which has measured.
            losses: Dict from the names of objectives to their losses since
                the last reading, over chance.
        """
        if monitor.step < self.start_step:
            return
        failed = dict(
            _failed(
                monitor.figures, monitor.annotations, monitor.images, losses
            )
        )
        self._in_a_row = {
            term: self._in_a_row.get(term, 0) + 1 for term in failed
        }
        for term, (kind, found) in failed.items():
            if term in self.raised or self._in_a_row[term] < self.patience:
                continue
            message = (
                f"Collapse at step {monitor.step}: {term} ({found}): "
                f"{HELP[kind]}."
            )
            self.raised[term] = message
            warnings.warn(message, CollapseWarning, stacklevel=2)
            if self.action == "stop":
                monitor.model.stop_training = True


def _failed(figures, annotations, images, losses):
    """Pairs of a term that looks collapsed, and its kind and figures."""
    spread, rank = figures["feature_spread"], figures["feature_rank"]
    if spread < SPREAD or rank < RANK:
        found = f"spread {spread:.4f}, effective rank {rank:.2f}"
        yield "features", ("features", found)
    for name, ratio in losses.items():
        information = figures.get(f"{name}_information", 0.0)
        if abs(ratio - 1) < NEAR_CHANCE and information < INFORMATION:
            yield f"{name} loss", ("loss", f"{ratio:.4f} of chance")
    for name, count in annotations.items():
        entropy = figures[f"{name}_entropy"]
        information = figures[f"{name}_information"]
        most = math.log(min(count, images))
        found = f"entropy {entropy:.3f}, ln {count} is {math.log(count):.3f}"
        if information < INFORMATION and entropy > NEAR_UNIFORM * math.log(
            count
        ):
            yield f"{name} targets", ("uniform", found)
        elif (
            information < TOLD_APART * most
            and entropy + information < IN_USE * most
        ):
            yield f"{name} targets", ("one", found)
    for key, share in figures.items():
        if key.endswith("_targets_above_chance") and share == 0.0:
            name = key.removesuffix("_targets_above_chance")
            yield f"{name} targets", ("value", "none above 1/L")
