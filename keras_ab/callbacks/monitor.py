"""Figures that show a collapse while a run goes on."""

from typing import Any

import numpy as np

from keras_ab.callbacks import figures
from keras_ab.callbacks import sample
from keras_ab.callbacks.collapse_alarm import CollapseAlarm
from keras_ab.callbacks.every_steps import EverySteps
from keras_ab.callbacks.reading import Reading
from keras_ab.objectives import Reward
from keras_ab.typing import Batch


class Monitor(EverySteps):
    """Measures features, targets and losses every so many steps of `fit`.

    The figures, in the logs of the step and of the epoch, so that `History`,
    `CSVLogger` and `TensorBoard` get them (they must stand after this one in
    the list of callbacks); NAME is an objective's:

    - `feature_spread`: standard deviation of the online network's pooled
      features at unit length, relative to 1/√D. 0: all are the same.
    - `feature_rank`: their effective rank. 0: all are the same.
    - `NAME_entropy`: mean entropy of a reward's p(l|x) by the target network,
      in nats. ln L: all annotations are alike; 0: it is sure.
    - `NAME_information`: entropy of the mean of p(l|x) over the images, less
      `NAME_entropy`, in nats. 0: all images get the same annotations.
    - `NAME_targets_above_chance`: share of the value targets above 1/L.
    - `NAME_loss_to_chance`: the loss in the logs over `chance_loss`.
    - `target_distance`: norm of online less target weights, over the norm of
      the online ones.

    They are measured on a small part of one batch, without gradients and
    without any change to weights, random states or data. A reading costs
    about as much as a third of a step of a small model, and less of a large
    one, so one in 50 steps takes under 1% of the time, and four fall within
    the 200 steps in which a collapse should show.

    Args:
        every_steps: Positive int, steps from one reading to the next.
        batch: A batch to measure on, a nested dict as `fit` consumes; by
            default the first one that `fit` is given. Only the first
            examples are kept.
        images: Images to take features of, uint8 or float in [-1, 1] of
            shape `(B, H, W, 3)`; by default those of the batch.
        views: Int, at least 4, how many views of the batch to measure on.
        alarm: `"warn"`, `"stop"`, a `keras_ab.callbacks.CollapseAlarm`, or
            None for no alarm.

    Attributes:
        figures: Dict of the last reading.
        chance: Dict from the names of objectives to `chance_loss`.
        annotations: Dict from the names of rewards to the number L of
            annotations over which their entropy is taken.
        alarm: The `CollapseAlarm`, or None.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> model.compile(keras.optimizers.AdamW(1e-3, weight_decay=0.1))
    >>> monitor = keras_ab.callbacks.Monitor(every_steps=50)
    >>> model.fit(dataset, callbacks=[monitor, keras.callbacks.CSVLogger("a")])

    Reference:
        Section 3.2 (rewards) and equation 5 (targets).
    """

    def __init__(
        self,
        every_steps: int = 50,
        batch: Batch | None = None,
        images: np.ndarray | None = None,
        views: int = 32,
        alarm: str | CollapseAlarm | None = "warn",
    ):
        super().__init__(every_steps)
        if not views >= 4:
            raise ValueError(f"`views` must be at least 4. Received: {views}")
        if isinstance(alarm, str):
            alarm = CollapseAlarm(action=alarm)
        self.views = views
        self.alarm = alarm
        self.figures: dict[str, float] = {}
        self.chance: dict[str, float | None] = {}
        self.annotations: dict[str, Any] = {}
        self._images: Any = None
        if images is not None:
            self._images = np.asarray(images)[:views]
        self._sample: Batch | None = None
        self._given = batch
        self._seen = batch
        self._num_annotations: dict[str, int] = {}
        self._reading: Any = None

    # Called by fit.

    def on_first_batch(self, batch: Batch | None) -> None:
        """Takes the first batch that `Pretrainer.fit` was given.

        Args:
            batch: Nested dict of NumPy arrays, or None.
        """
        self._seen = batch if batch is not None else self._seen

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self._seen is not None:
            # By the sizes that are trained on.
            objectives = self.model.online.objectives
            self.chance = {
                o.name: o.chance_loss(self._seen) for o in objectives
            }
            self._num_annotations = {
                o.name: o.num_annotations(self._seen)
                for o in objectives
                if isinstance(o, Reward)
            }
            batch = self._seen if self._given is None else self._given
            if self._sample is None:
                self._sample = sample.cut(batch, self.views)
            if self._images is None:
                shape = self.model.encoder.image_shape
                images = sample.images_of(batch, shape)
                # A copy: a view would keep the whole batch alive.
                if images is not None:
                    self._images = images[: self.views].copy()
            self._seen = self._given = None
        if self._sample is None:
            raise ValueError(
                "`fit` was given data whose first batch cannot be looked "
                "into; pass Monitor a batch: Monitor(batch=...)."
            )
        if self._images is None:
            raise ValueError(
                "The batch holds no images to take features of; pass Monitor "
                "some: Monitor(images=...)."
            )
        if not self._reads(self.model, self._num_annotations):
            self._reading = Reading(self.model, self._num_annotations)

    def _reads(self, model, num_annotations):
        """Whether there is a reading for this, compiled already."""
        reading = self._reading
        return (
            reading is not None
            and reading.networks[0] is model.online
            and reading.num_annotations == num_annotations
        )

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        super().on_epoch_begin(epoch, logs)
        self._mean: dict[str, Any] = {}

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._is_due(batch):
            return
        logs = {} if logs is None else logs
        self.figures = {**self.measure(), **self._losses(logs)}
        logs.update(self.figures)
        if self.alarm is not None:
            self.alarm.judge(self, self._recent(logs))

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if logs is not None:
            logs.update(self.figures)

    # Reading.

    @property
    def images(self) -> int:
        """Int, how many images are read."""
        return len(self._images)

    def measure(self) -> dict[str, float]:
        """The figures of the model as it is now, less those of losses.

        Returns:
            Dict from names to floats.
        """
        self._sync()
        inputs = {"images": self._images, "batch": self._sample}
        read = self._reading.look(inputs)
        features = read["features"]
        found = {
            "feature_spread": figures.feature_spread(features),
            "feature_rank": figures.effective_rank(features),
        }
        if self.model.target is not None:
            found["target_distance"] = figures.distance(
                self.model.online.get_weights(),
                self.model.target.get_weights(),
            )
        for name, p in read["rewards"].items():
            self.annotations[name] = p.shape[-1]
            mean = float(figures.entropy(p).mean())
            whole = float(figures.entropy(p.mean(axis=0)))
            found[f"{name}_entropy"] = mean
            found[f"{name}_information"] = max(whole - mean, 0.0)
        for name, share in read["values"].items():
            found[f"{name}_targets_above_chance"] = float(share)
        return found

    def _losses(self, logs):
        return {
            f"{name}_loss_to_chance": logs[f"{name}_loss"] / chance
            for name, chance in self.chance.items()
            if chance and f"{name}_loss" in logs
        }

    def _recent(self, logs):
        """Losses since the last reading, out of means since the epoch began.

        Returns:
            Dict from the names of objectives to the recent loss over chance.
        """
        count = self._batch + 1
        recent = {}
        for name, chance in self.chance.items():
            if not chance or f"{name}_loss" not in logs:
                continue
            total = logs[f"{name}_loss"] * count
            was, at = self._mean.get(name, (0.0, 0))
            recent[name] = (total - was) / (count - at) / chance
            self._mean[name] = total, count
        return recent
