"""Questions about a picture, with short answers."""

import collections
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks.grammar import Grammar
from keras_ab.probes.tasks.grammar import Slot
from keras_ab.probes.tasks.questions import scene_questions
from keras_ab.probes.tasks.questions import told_questions
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Predictions
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task
from keras_ab.probes.tasks.texts import UNKNOWN
from keras_ab.probes.tasks.texts import common_words
from keras_ab.probes.tasks.texts import most_frequent
from keras_ab.probes.tasks.texts import words_of

if TYPE_CHECKING:
    from keras_ab.data.source import Source

AGREED = 3
"""People who must have given an answer for it to count in full."""


class VisualQuestions(Task):
    """Questions about pictures; an answer is one of training's answers.

    The prompt is the words of the question, and the whole answer one token.
    Outcomes are `"accuracy"`, and one for each kind of question with 20
    examples or more. Where several people answered, an answer counts by how
    many of them gave it, 3 for all (VQA's measure). Chance is the most
    frequent answer of training to the same question, or else to the same kind.

    Args:
        ask: Callable from a record to `(kind, question, answer)`s, as
            `scene_questions`; the answer may be a list of several people's.
            None for the record's own `"questions"` where it has them, else
            `scene_questions`.
        most_answers: Int, the most frequent answers that can be given.
        most_words: Int, the most frequent words of questions that are known.
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> task = keras_ab.probes.tasks.VisualQuestions().prepare(records)
    >>> task.examples(records[0])[0]
    # Example(answer=("2",), prompt=("how", "many", "cars"), ...)
    """

    either = ("questions", "colours")

    def __init__(
        self,
        ask: Callable[[Record], list[Any]] | None = None,
        most_answers: int = 3129,
        most_words: int = 10000,
        name: str = "visual-questions",
    ):
        super().__init__(name)
        self.ask = ask
        self.most_answers, self.most_words = most_answers, most_words

    def check(self, records: Iterable[Record]) -> None:
        if self.ask is None:
            super().check(records)

    def _asked(self, record):
        if self.ask is not None:
            found = self.ask(record)
        elif "questions" in record:
            found = told_questions(record)
        else:
            found = scene_questions(record)
        return [
            (kind, question, [answers] if isinstance(answers, str) else answers)
            for kind, question, answers in found
        ]

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        asked = [q for record in records for q in self._asked(record)]
        if not asked:
            raise ValueError(
                f"Task {self.name!r} needs a question. Received: "
                f"{len(records)} training records without one"
            )
        by_question = collections.defaultdict(list)
        for kind, question, answers in asked:
            answer = _normal(most_frequent(answers))
            by_question[tuple(words_of(question))].append(answer)
            by_question[kind].append(answer)
        self._guesses = {k: most_frequent(v) for k, v in by_question.items()}
        answers = [[_normal(most_frequent(a))] for _, _, a in asked]
        self._answers = common_words(answers, self.most_answers)
        self._known = set(self._answers)
        texts = [words_of(question) for _, question, _ in asked]
        self._prompts = common_words(texts, self.most_words)

    @property
    def words(self) -> list[str]:
        words = [*self._answers, *self._prompts, UNKNOWN]
        return list(dict.fromkeys(words))

    @property
    def grammar(self) -> Grammar:
        return Grammar((Slot(words=tuple(self._answers)),))

    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        known = set(self._prompts)
        found = []
        for _, question, answers in self._asked(record):
            prompt = tuple(
                word if word in known else UNKNOWN
                for word in words_of(question)
            )
            answer = _normal(most_frequent(answers))
            # Answers that cannot be given teach nothing.
            weight = float(answer in self._known)
            answer = answer if weight else UNKNOWN
            found.append(Example((answer,), prompt, (weight, weight)))
        return found

    def blind(self, records: Sequence[Record]) -> Predictions:
        """The most frequent answer to the question, or to its kind."""
        return [
            [
                Prediction((self._guess(kind, question),))
                for kind, question, _ in self._asked(record)
            ]
            for record in records
        ]

    def _guess(self, kind, question):
        question = tuple(words_of(question))
        other = self._guesses.get(kind, self._answers[0])
        return self._guesses.get(question, other)

    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> list[Outcome]:
        self.check(records)
        asked = [self._asked(record) for record in records]
        self.check_predictions(predictions, [len(q) for q in asked])
        if not any(asked):
            raise ValueError(
                f"Task {self.name!r} needs a question. Received: "
                f"{len(records)} test records without one"
            )
        groups = np.repeat(np.arange(len(asked)), [len(q) for q in asked])
        questions = [q for of_record in asked for q in of_record]
        said = [p.tokens[0] for of_record in predictions for p in of_record]
        hits = np.array(
            [_credit(a, answers) for a, (_, _, answers) in zip(said, questions)]
        )
        kinds = np.array([kind for kind, _, _ in questions])
        expected = self.chance(records) if chance else {}
        unseen = sum(
            not {_normal(a) for a in answers} & self._known
            for _, _, answers in questions
        )
        outcomes = [
            Outcome.from_hits(
                "accuracy",
                hits,
                expected.get("accuracy"),
                groups=groups,
                unseen=unseen,
            )
        ]
        for kind in np.unique(kinds).tolist():
            of_kind = kinds == kind
            if of_kind.sum() >= 20:
                outcomes.append(
                    Outcome.from_hits(
                        kind,
                        hits[of_kind],
                        expected.get(kind),
                        groups=groups[of_kind],
                    )
                )
        return outcomes

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "most_answers": self.most_answers,
            "most_words": self.most_words,
        }


def _normal(answer):
    return " ".join(str(answer).lower().split())


def _credit(said, answers):
    """What an answer is worth, by what people said."""
    matches = sum(_normal(answer) == said for answer in answers)
    return min(matches / min(AGREED, len(answers)), 1.0)
