"""Questions about the built-in pictures, with their answers."""

import zlib
from collections.abc import Sequence

import numpy as np

from keras_ab.probes.tasks.task import Record

Question = tuple[str, str, str]
"""Its kind, the question, and the answer."""

KINDS = ("how many", "what colour", "is there")


def scene_questions(record: Record, count: int = 4) -> list[Question]:
    """Questions that the annotations of a built-in picture answer.

    "how many cups" about things that are there, "what colour is the tree"
    about things that are there once, and "is there a lamp", to which yes and
    no are equally often right. Which are asked is drawn by the record's id.

    Args:
        record: A record of `Scenes`, `Objects` or `Video`, with `"classes"`
            and `"colours"`.
        count: Int, the most questions to ask.

    Returns:
        A list of `(kind, question, answer)`; empty where nothing can be seen.

    Example:

    >>> record = keras_ab.data.Scenes(size=1)[0]
    >>> keras_ab.probes.tasks.scene_questions(record)[0]
    # ("how many", "how many cars", "2")
    """
    # Imported here: these are the words of the built-in sets.
    from keras_ab.data.scenes import CLASSES
    from keras_ab.data.scenes import COLOURS

    classes = np.asarray(record["classes"]).astype(int)
    colours = np.asarray(record["colours"]).astype(int)
    if not len(classes):
        return []
    # Not by `hash`, which differs between processes.
    rng = np.random.default_rng(zlib.crc32(str(record["id"]).encode()))
    there = np.unique(classes)
    once = [c for c in there if (classes == c).sum() == 1]
    absent = np.setdiff1d(np.arange(len(CLASSES)), there)
    names = tuple(COLOURS)
    questions: list[tuple[str, str, str]] = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        if kind == "how many":
            chosen = rng.choice(there)
            asked = f"how many {plural(CLASSES[chosen])}"
            answer = str((classes == chosen).sum())
        elif kind == "what colour" and once:
            chosen = rng.choice(once)
            asked = f"what colour is the {CLASSES[chosen]}"
            answer = names[colours[classes == chosen][0]]
        elif kind == "is there":
            yes = bool(rng.random() < 0.5)
            chosen = rng.choice(there if yes else absent)
            article = "an" if CLASSES[chosen][0] in "aeiou" else "a"
            asked = f"is there {article} {CLASSES[chosen]}"
            answer = "yes" if yes else "no"
        else:
            continue
        if asked not in {question for _, question, _ in questions}:
            questions.append((kind, asked, answer))
    return questions


def told_questions(record: Record) -> list[tuple[str, str, Sequence[str]]]:
    """The questions that a record itself has.

    Args:
        record: A record with `"questions"`: pairs of a question and its
            answer, or of a question and a list of several people's answers.

    Returns:
        A list of `(kind, question, answers)`; kinds are the first two words.

    Example:

    >>> from keras_ab.probes.tasks.questions import told_questions
    >>> told_questions({"questions": [("How many dogs?", "2")]})
    # [("how many", "How many dogs?", ["2"])]
    """
    found: list[tuple[str, str, Sequence[str]]] = []
    for entry in record["questions"]:
        try:
            question, answers = entry
            answers = [answers] if isinstance(answers, str) else list(answers)
            kind = " ".join(question.lower().split()[:2])
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                "A record's `questions` must be pairs of a question and an "
                f"answer. Received: {entry!r} in record {record.get('id')!r}"
            ) from error
        found.append((kind, question, answers))
    return found


def plural(noun: str) -> str:
    """The plural of a regular noun, and of those of the built-in sets."""
    if noun in ("fish",):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return f"{noun}es"
    return f"{noun}s"
