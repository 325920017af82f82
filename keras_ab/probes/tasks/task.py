"""What a task asks of an encoder, and how its answers are judged."""

import abc
import copy
import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import Self
from typing import cast

import numpy as np

if TYPE_CHECKING:
    from keras_ab.data.source import Source
    from keras_ab.probes.outcome import Outcome
    from keras_ab.probes.tasks.grammar import Grammar

Token = str | int
"""A word, or the bin of a coordinate, an int in `[0, COORDINATES)`."""

Record = Mapping[str, Any]
"""A record of a `keras_ab.data.Source`; its image is not looked at."""

COORDINATES = 1000
"""Bins of a coordinate, for all tasks."""


@dataclasses.dataclass(frozen=True)
class Example:
    """One question about a picture, and its answer.

    Args:
        answer: Tokens, without the end.
        prompt: Tokens between the task's own and the answer: the box that is
            asked about, the words of a question.
        weights: Floats, how much each token of the answer, and the end after
            it, count in the loss; None for 1 each.
    """

    answer: tuple[Token, ...]
    prompt: tuple[Token, ...] = ()
    weights: tuple[float, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a probe answers to one question.

    Args:
        tokens: Tokens, without the end.
        probabilities: Floats, how probable each was where it was chosen, among
            all words and coordinates; None where the probe gives none.
    """

    tokens: tuple[Token, ...]
    probabilities: tuple[float, ...] | None = None


Predictions = list[list[Prediction]]
"""For each record, a prediction for each of its examples, in their order."""


class Task(abc.ABC):
    """Questions about pictures whose answers are tokens.

    A task is described by its arguments, then `prepare`d on the annotations of
    a training set, which gives a new task that knows its classes:

    ```python
    task = keras_ab.probes.tasks.Counting()
    ready = task.prepare(train_records, train_source)
    ready.words  # what can be answered
    ready.examples(record)  # questions about a record, with their answers
    ready.evaluate(predictions, test_records)  # a list of `Outcome`s
    ```

    A task with `single_label` asks one question of each picture, whose answer
    is one word, so that any classifier can answer it:

    ```python
    train, test = ready.labels(train_records), ready.labels(test_records)
    ready.evaluate(ready.from_labels(predicted_words), test_records)
    ```

    Classes are the names that the source has (`class_names` and the like), or
    where it has none the sorted union of what the training set shows. A test
    example whose class the training set never showed stays, a miss for who
    learnt from it, and is counted in `extra["unseen"]`; one that cannot be
    asked, such as a box without area, is skipped and counted in
    `extra["skipped"]`.

    To add a task, write `_prepare`, `words`, `grammar`, `examples`, `blind`
    and `evaluate`.

    Args:
        name: String, the name of the task in commands, tables and results.
    """

    single_label = False
    """Whether each picture has one question with a one-word answer."""

    crop = "whole"
    """How pictures are seen: `"whole"`, or `"center"` for the central crop."""

    needs_size = False
    """Whether records must have the `"size"` of their pictures."""

    fields: frozenset[str] = frozenset()
    """What records must have."""

    either: tuple[str, ...] = ()
    """Fields that stand in for each other: records must have one of them."""

    ready = False
    """Whether the task is prepared."""

    def __init__(self, name: str):
        self.name = name

    def prepare(
        self, records: Sequence[Record], source: "Source | None" = None
    ) -> Self:
        """This task, for the classes of a training set.

        Args:
            records: The training set's records; images are not needed.
            source: The `keras_ab.data.Source` that they are from, whose names
                of classes are taken.

        Returns:
            A new task.

        Raises:
            ValueError: If there are no records, or one lacks a field.
        """
        if not len(records):
            raise ValueError(f"Task {self.name!r} needs training records.")
        self.check(records)
        task = copy.copy(self)
        task.ready = True
        task._prepare(records, source)
        return task

    def check(self, records: Iterable[Record]) -> None:
        """Raises `ValueError` if a record lacks a field of this task's."""
        for record in records:
            missing = sorted(self.fields - set(record))
            if self.either and not set(self.either) & set(record):
                missing = f"one of {list(self.either)}"
            if missing:
                raise ValueError(
                    f"Task {self.name!r} needs {missing} of every record. "
                    f"Received: record {record.get('id')!r} with "
                    f"{sorted(set(record) - {'image'})}"
                )

    def check_predictions(
        self, predictions: Predictions, expected: Sequence[int]
    ) -> None:
        """Raises `ValueError` unless each example has one prediction.

        Args:
            predictions: For each record a list of `Prediction`s.
            expected: Ints, the number of examples of each record.
        """
        found = [len(of_record) for of_record in predictions]
        if found != list(expected):
            raise ValueError(
                f"Task {self.name!r} needs a prediction for each example: "
                f"{len(expected)} records with {sum(expected)} examples. "
                f"Received: {len(found)} with {sum(found)}"
            )
        for of_record in predictions:
            for prediction in of_record:
                if not isinstance(prediction, Prediction):
                    raise ValueError(
                        f"Task {self.name!r} takes `Prediction`s; "
                        "`from_labels` makes them of words. Received: "
                        f"{prediction!r}"
                    )

    def labels(self, records: Sequence[Record]) -> list[str]:
        """The right answers of a task with `single_label`.

        Args:
            records: Records.

        Returns:
            A word for each, in `words` unless training never showed it.

        Raises:
            ValueError: If the task asks more of a picture than one word.
        """
        if not self.single_label:
            raise ValueError(
                f"Task {self.name!r} asks more of a picture than one label: "
                "it takes the decoder probe."
            )
        self.check(records)
        return [cast(str, self.examples(r)[0].answer[0]) for r in records]

    def from_labels(self, labels: Iterable[str]) -> Predictions:
        """Predictions of a task with `single_label`, from words."""
        return [[Prediction((label,))] for label in labels]

    def chance(self, records: Sequence[Record]) -> dict[str, float]:
        """What is reached on records without seeing a picture.

        Args:
            records: Test records.

        Returns:
            A dict from the names of outcomes to values: those of `blind`.
        """
        outcomes = self.evaluate(self.blind(records), records, chance=False)
        return {outcome.name: outcome.value for outcome in outcomes}

    def describe(self) -> dict[str, Any]:
        """The task's arguments, ready for JSON, for a result file."""
        return {"name": self.name, "kind": type(self).__name__}

    @abc.abstractmethod
    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        """Sets what depends on the training set, on a copy of the task."""

    @property
    @abc.abstractmethod
    def words(self) -> list[str]:
        """All words of prompts and answers, without repetition."""

    @property
    @abc.abstractmethod
    def grammar(self) -> "Grammar":
        """Which tokens may stand where in an answer."""

    @abc.abstractmethod
    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        """The questions about a record, none where it has nothing to ask.

        Args:
            record: A record.
            rng: A generator where they are for training: tasks that draw the
                order of an answer, or one of several, do it by this one.

        Returns:
            A list of `Example`s, as many and with the same prompts whether
            they are for training or not.
        """

    @abc.abstractmethod
    def blind(self, records: Sequence[Record]) -> Predictions:
        """What training alone suggests, without a look at the pictures."""

    @abc.abstractmethod
    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> "list[Outcome]":
        """Judges predictions.

        Args:
            predictions: For each record, a `Prediction` for each of its
                examples.
            records: Test records.
            chance: Bool, whether to say in each outcome what `blind` reaches.

        Returns:
            A list of `Outcome`s, the headline first.
        """
