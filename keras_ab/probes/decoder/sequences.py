"""Examples of tasks as sequences of ids, and batches of them."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_ab.probes.decoder.vocabulary import END
from keras_ab.probes.decoder.vocabulary import Vocabulary
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task
from keras_ab.typing import Batch

SMALLEST, LARGEST = 32, 512
"""Examples to a batch, where nothing else is said."""

SHORTEST = 64
"""Batches to an epoch, where batches would else be larger than the least."""


class Sequences:
    """How the examples of one task become ids.

    A sequence is the task's prompt, the example's own, the answer, and the
    end. The end is left out of the loss where the grammar lets nothing else
    stand.

    Args:
        task: A `Task` that is prepared.
        vocabulary: The `Vocabulary` of it, and of tasks beside it.
        prompt: Int, the most tokens of an example's prompt; longer ones are
            cut.
    """

    def __init__(self, task: Task, vocabulary: Vocabulary, prompt: int):
        self.task, self.vocabulary, self.prompt_length = (
            task,
            vocabulary,
            prompt,
        )
        self.places = len(task.grammar.slots)
        self.length = 1 + prompt + self.places
        """Ids of the longest sequence, less the end."""

    def prompt(self, example: Example) -> list[int]:
        """The ids before an example's answer."""
        own = self.vocabulary.encode(example.prompt[: self.prompt_length])
        return [self.vocabulary.prompt(self.task.name), *own]

    def encode(
        self, example: Example, length: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, targets and weights.

        Args:
            example: An `Example`.
            length: Int, to fill up to.

        Returns:
            int32, int32 and float32, each of shape `(length,)`.
        """
        prompt = self.prompt(example)
        answer = self.vocabulary.encode(example.answer[: self.places])
        told = example.weights
        if told is None:
            told = (1.0,) * (len(answer) + 1)
        weights = [*told[: len(answer)], told[-1]]
        if len(answer) == self.places:
            weights[-1] = 0.0
        sequence = [*prompt, *answer, END]
        ids, targets = (np.full(length, END, "int32") for _ in range(2))
        counts = np.zeros(length, "float32")
        stop = len(sequence) - 1
        ids[:stop], targets[:stop] = sequence[:-1], sequence[1:]
        # The last id of the prompt asks for the first of the answer.
        start = len(prompt) - 1
        counts[start : start + len(weights)] = weights[: length - start]
        return ids, targets, counts


class TrainingBatches(keras.utils.PyDataset):
    """Batches of examples of several tasks.

    Batch b is a function of the seed and b. An epoch shows each picture of
    each task once; of a picture with several questions, one is drawn.

    Args:
        sequences: List of `Sequences`, one a task.
        tokens: Dict from tasks to arrays of shape `(N, T, C)`.
        records: Dict from tasks to lists of N records.
        batch_size: Int; all examples where there are fewer. None for
            `LARGEST`, or less, so that an epoch has `SHORTEST` batches, but
            for `SMALLEST`.
        length: Int, ids of a sequence.
        epochs: Int, how many times each picture is shown.
        updates: Int, the number of batches, in place of `epochs`; or None.
        seed: Int.
    """

    def __init__(
        self,
        sequences: Sequence[Sequences],
        tokens: Mapping[str, Any],
        records: Mapping[str, Sequence[Record]],
        batch_size: int | None,
        length: int,
        epochs: int = 1,
        updates: int | None = None,
        seed: int = 0,
    ):
        super().__init__()
        self.sequences, self.tokens, self.records = sequences, tokens, records
        self.length, self.seed = length, seed
        self._places = [
            (number, index)
            for number, sequence in enumerate(sequences)
            for index in asked(sequence.task, records[sequence.task.name])
        ]
        if not self._places:
            raise ValueError("No task has a question about a training record.")
        if batch_size is None:
            batch_size = len(self._places) // SHORTEST
            batch_size = min(max(batch_size, SMALLEST), LARGEST)
        self.batch_size = min(batch_size, len(self._places))
        self._epoch = len(self._places) // self.batch_size
        self._updates = epochs * self._epoch if updates is None else updates

    def __len__(self) -> int:
        return self._updates

    def __getitem__(self, index: int) -> tuple[Batch, Batch]:
        epoch, number = divmod(index, self._epoch)
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self._places))
        start = number * self.batch_size
        rng = np.random.default_rng([self.seed, epoch, number])
        tokens, rows = [], []
        for place in order[start : start + self.batch_size]:
            number, i = self._places[place]
            sequence = self.sequences[number]
            name = sequence.task.name
            examples = sequence.task.examples(self.records[name][i], rng)
            example = examples[int(rng.integers(len(examples)))]
            tokens.append(self.tokens[name][i])
            rows.append(sequence.encode(example, self.length))
        ids, targets, weights = map(np.stack, zip(*rows))
        inputs = {"tokens": np.stack(tokens).astype("float32"), "ids": ids}
        return inputs, {"targets": targets, "weights": weights}


def asked(task: Task, records: Sequence[Record]) -> list[int]:
    """Indices of the records that a task has a question about."""
    return [i for i, record in enumerate(records) if task.examples(record)]
