"""The tokens of all tasks of a decoder, as ids."""

from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

from keras_ab.probes.tasks.task import COORDINATES
from keras_ab.probes.tasks.task import Task
from keras_ab.probes.tasks.task import Token
from keras_ab.probes.tasks.texts import UNKNOWN

END = 0
"""The id that ends an answer, and fills up what comes after."""


class Vocabulary:
    """Ids for what a decoder reads and writes.

    In this order: the end, the unknown word, a prompt for each task, all
    words of the tasks, and the bins of coordinates. A word means the same in
    all tasks.

    Args:
        tasks: Names of the tasks, each once.
        words: Words, of which some may occur several times.
    """

    def __init__(self, tasks: Sequence[str], words: Iterable[str]):
        if len(set(tasks)) != len(tasks):
            raise ValueError(
                f"Tasks must have different names. Received: {list(tasks)}"
            )
        words = [w for w in dict.fromkeys(words) if w != UNKNOWN]
        self.tokens: list[Token] = [
            "<end>",
            UNKNOWN,
            *(_prompt(task) for task in tasks),
            *words,
        ]
        self.first_coordinate = len(self.tokens)
        self.tokens += list(range(COORDINATES))
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        # A word may look like a prompt, but does not become one.
        self._prompts = {task: 2 + i for i, task in enumerate(tasks)}

    @classmethod
    def of(cls, tasks: Sequence[Task]) -> "Vocabulary":
        """The vocabulary of tasks that are prepared."""
        words = [word for task in tasks for word in task.words]
        return cls([task.name for task in tasks], words)

    def __len__(self) -> int:
        return len(self.tokens)

    def prompt(self, task: str) -> int:
        """The id that asks for a task."""
        return self._prompts[task]

    def encode(self, tokens: Iterable[Token]) -> list[int]:
        """Ids of tokens; that of the unknown word for words it has not."""
        return [self._ids.get(token, 1) for token in tokens]

    def decode(self, ids: Iterable[int]) -> tuple[Token, ...]:
        """Tokens of ids."""
        return tuple(self.tokens[int(i)] for i in np.asarray(ids))


def _prompt(task):
    return f"<task: {task}>"
