"""A multi-task decoder as a probe of frozen tokens."""

import contextlib
import random
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
import numpy as np

from keras_ab.optimizers import AdamW
from keras_ab.optimizers import decay_kernels_only
from keras_ab.probes.decoder.generation import Generator
from keras_ab.probes.decoder.generation import pad_batch
from keras_ab.probes.decoder.network import MultiTaskDecoder
from keras_ab.probes.decoder.rules import Rules
from keras_ab.probes.decoder.sequences import Sequences
from keras_ab.probes.decoder.sequences import TrainingBatches
from keras_ab.probes.decoder.vocabulary import END
from keras_ab.probes.decoder.vocabulary import Vocabulary
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Predictions
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task
from keras_ab.schedules import linear_warmup_cosine

SAMPLED = 1000
"""Pictures of each task by which frozen tokens are standardised."""


class DecoderProbe:
    """One autoregressive decoder for many tasks, on frozen tokens.

    A sequence is a prompt that says which task is meant, where it has one the
    example's own prompt (a box, a question), and the answer. Losses are of
    answers alone, and each example counts the same, however long its answer
    is. Answers are generated greedily within the grammar of their task.

    Args:
        epochs: Int, passes over the pictures of all tasks.
        updates: Int, the number of updates in place of `epochs`; or None.
        batch_size: Int, examples to an update. None for 512, and less where
            an epoch would have less than 64 updates, down to 32.
        learning_rate: Float, the peak of a cosine after a warm-up.
        weight_decay: Float, for kernels.
        warmup: Float in [0, 1), the share of the warm-up.
        num_layers: Int.
        hidden_dim: Int.
        num_heads: Int.
        dropout: Float.
        label_smoothing: Float.
        seed: Int: weights, order and what is drawn of examples.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=8)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> task = keras_ab.probes.tasks.Counting().prepare(records, scenes)
    >>> tokens = {"counting": np.random.normal(size=(8, 4, 16))}
    >>> probe = keras_ab.probes.DecoderProbe(1, num_layers=1, hidden_dim=12)
    >>> probe = probe.fit([task], tokens, {"counting": records})
    >>> predictions = probe.predict(task, tokens["counting"], records)
    >>> predictions[0][0].tokens
    # ("5",)

    Reference:
        Beyer et al. 2023, "A study of autoregressive decoders for multi-tasking
        in computer vision"; section 4.1 defers to it. Settings are ours, where
        no text says them.
    """

    name = "decoder"

    needs = "tokens"
    """What of a frozen encoder it takes."""

    def __init__(
        self,
        epochs: int = 30,
        updates: int | None = None,
        batch_size: int | None = None,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.1,
        warmup: float = 0.05,
        num_layers: int = 4,
        hidden_dim: int = 384,
        num_heads: int = 6,
        dropout: float = 0.1,
        label_smoothing: float = 0.1,
        seed: int = 0,
    ):
        counts = (epochs, updates, batch_size)
        if any(count is not None and count < 1 for count in counts):
            raise ValueError(
                "`epochs`, `updates` and `batch_size` must be positive. "
                f"Received: {epochs}, {updates} and {batch_size}"
            )
        self.epochs, self.updates = epochs, updates
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.seed = seed
        self.decoder: Any = None

    def describe(self) -> dict[str, Any]:
        """The settings, ready for JSON, for a result file."""
        names = (
            "epochs",
            "updates",
            "batch_size",
            "learning_rate",
            "weight_decay",
            "warmup",
            "num_layers",
            "hidden_dim",
            "num_heads",
            "dropout",
            "label_smoothing",
            "seed",
        )
        return {name: getattr(self, name) for name in names}

    def fit(
        self,
        tasks: Sequence[Task],
        tokens: Mapping[str, Any],
        records: Mapping[str, Sequence[Record]],
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> Self:
        """Trains a new decoder.

        Args:
            tasks: `Task`s that are prepared, each with a name of its own.
            tokens: Dict from the names of tasks to the frozen tokens of
                training pictures: arrays of shape `(N, T, C)`, which may be
                mapped from a file. Tasks may share an array.
            records: Dict from the names of tasks to lists of N records.
            callbacks: Keras callbacks, such as for progress; all of training
                is one epoch to them.

        Returns:
            The probe.

        Raises:
            ValueError: If a task is not prepared, tokens and records do not
                belong together, or tokens differ in shape between tasks.
        """
        _check(tasks, tokens, records)
        moments = _moments([tokens[task.name] for task in tasks])
        self.vocabulary = Vocabulary.of(tasks)
        self.sequences = {
            task.name: Sequences(
                task, self.vocabulary, _longest_prompt(task, records[task.name])
            )
            for task in tasks
        }
        length = max(s.length for s in self.sequences.values())
        batches = TrainingBatches(
            list(self.sequences.values()),
            tokens,
            records,
            self.batch_size,
            length,
            self.epochs,
            self.updates,
            self.seed,
        )
        self.shape = tuple(np.shape(tokens[tasks[0].name])[1:])
        with _seeded(self.seed):
            self.decoder = self._decoder(length, batches.batch_size)
        self.decoder.standardise(*moments)
        self._compile(len(batches))
        self.decoder.fit(
            batches, shuffle=False, callbacks=list(callbacks), verbose=0
        )
        return self

    def _decoder(self, length, batch_size):
        decoder = MultiTaskDecoder(
            len(self.vocabulary),
            length,
            num_layers=self.num_layers,
            hidden_dim=self.hidden_dim,
            num_heads=self.num_heads,
            intermediate_dim=4 * self.hidden_dim,
            dropout=self.dropout,
            label_smoothing=self.label_smoothing,
        )
        decoder.build(
            {
                "tokens": (batch_size, *self.shape),
                "ids": (batch_size, length),
            }
        )
        return decoder

    def _compile(self, steps):
        schedule = linear_warmup_cosine(
            self.learning_rate, steps, int(self.warmup * steps)
        )
        optimizer = AdamW(
            schedule, weight_decay=self.weight_decay, global_clipnorm=1.0
        )
        decay_kernels_only(optimizer, self.decoder.trainable_variables)
        self.decoder.compile(optimizer)

    def predict(
        self,
        task: Task,
        tokens: Any,
        records: Sequence[Record],
        batch_size: int = 64,
    ) -> Predictions:
        """Answers all questions of a task.

        Args:
            task: One of the tasks that `fit` got.
            tokens: Array of shape `(N, T, C)`, frozen tokens of test pictures.
            records: List of N records.
            batch_size: Int, questions to a call.

        Returns:
            For each record, a `Prediction` for each of its examples.
        """
        if self.decoder is None or task.name not in self.sequences:
            known: list[str] = []
            if self.decoder is not None:
                known = list(self.sequences)
            raise ValueError(
                f"The probe was trained on the tasks {known}. Received: "
                f"{task.name!r}"
            )
        if np.shape(tokens)[1:] != self.shape or len(tokens) != len(records):
            raise ValueError(
                f"`tokens` must have the shape {(len(records), *self.shape)}, "
                f"one row a record. Received: {np.shape(tokens)}"
            )
        sequences = self.sequences[task.name]
        prompts = [
            (i, sequences.prompt(example))
            for i, record in enumerate(records)
            for example in task.examples(record)
        ]
        predictions: Predictions = [[] for _ in records]
        rules = Rules.of(task.grammar, self.vocabulary)
        longest = 1 + sequences.prompt_length
        generator = Generator(self.decoder, rules, longest)
        size = min(batch_size, max(len(prompts), 1))
        for start in range(0, len(prompts), size):
            part = prompts[start : start + size]
            found = generator.predict_on_batch(
                _inputs(part, tokens, longest, size)
            )
            for (i, _), ids, shares in zip(
                part, found["ids"], found["probabilities"]
            ):
                predictions[i].append(self._prediction(ids, shares))
        return predictions

    def _prediction(self, ids, shares):
        ends = np.flatnonzero(np.asarray(ids) == END)
        stop = ends[0] if len(ends) else len(ids)
        return Prediction(
            self.vocabulary.decode(ids[:stop]),
            tuple(np.asarray(shares[:stop], "float64").tolist()),
        )


@contextlib.contextmanager
def _seeded(seed):
    """Layers draw their seeds by Python's generator, which goes on as before.

    A probe may run in the middle of a training whose random state is not its
    own.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def _inputs(part, tokens, longest, size):
    prompt = np.full((len(part), longest), END, "int32")
    for row, (_, ids) in zip(prompt, part):
        row[: len(ids)] = ids
    lengths = np.array([len(ids) for _, ids in part], "int32")
    frozen = np.stack([tokens[i] for i, _ in part]).astype("float32")
    return {
        "tokens": pad_batch(frozen, size),
        "prompt": pad_batch(prompt, size),
        "length": pad_batch(lengths, size),
    }


def _longest_prompt(task, records):
    return max(
        (len(e.prompt) for record in records for e in task.examples(record)),
        default=0,
    )


def _check(tasks, tokens, records):
    if not tasks:
        raise ValueError("The decoder needs a task. Received: none")
    shapes = {}
    for task in tasks:
        if not task.ready:
            raise ValueError(
                f"Task {task.name!r} must be prepared on training records: "
                "`task.prepare(records, source)`"
            )
        if task.name not in tokens or task.name not in records:
            raise ValueError(
                f"`tokens` and `records` must have task {task.name!r}. "
                f"Received: {sorted(tokens)} and {sorted(records)}"
            )
        shape, count = np.shape(tokens[task.name]), len(records[task.name])
        if len(shape) != 3 or shape[0] != count:
            raise ValueError(
                f"The tokens of task {task.name!r} must have shape (N, T, C), "
                f"one row for each of {count} records. Received: {shape}"
            )
        shapes[task.name] = shape[1:]
    if len(set(shapes.values())) > 1:
        raise ValueError(
            f"All tasks must have tokens of one shape. Received: {shapes}"
        )


def _moments(arrays):
    """Mean and standard deviation of each channel."""
    parts = []
    for tokens in {id(array): array for array in arrays}.values():
        chosen = np.linspace(0, len(tokens) - 1, min(SAMPLED, len(tokens)))
        sample = np.stack([tokens[int(i)] for i in chosen])
        parts.append(sample.reshape(-1, sample.shape[-1]).astype("float64"))
    values = np.concatenate(parts)
    if not np.isfinite(values).all():
        raise ValueError("The tokens of the encoder must be finite numbers.")
    return values.mean(0), values.std(0)
