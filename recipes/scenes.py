"""Scenes as training data, and the built-in ones as a held-out test."""

import numpy as np

from keras_ab import data
from keras_ab import probes
from keras_ab.data import scenes
from keras_ab.data.source import captions_of
from keras_ab.data.specs import open_source

SEQUENCE_LENGTH = 12
# Three boxes, five words each, and the end.
BOXES = {"boxes": 3, "bins": 20, "sequence_length": 18}
# Of captions that nobody has seen: as long as 99 of 100, and no longer.
LONGEST, COVERED = 64, 0.99


def make(maker="", workers=1, **arguments):
    """The built-in scenes, or others that stand for them.

    Args:
        maker: String, `MODULE:NAME` of a function that has the arguments of
            `keras_ab.data.Scenes` and returns a source, which is taken as it
            is; or `''` for the built-in scenes, which are held in memory.
        workers: Int, processes that paint the built-in scenes.
        **arguments: `size`, `seed` and `split`, as of `Scenes`.

    Returns:
        A source.
    """
    if not maker:
        return data.Scenes(**arguments).cache(workers)
    return open_source(maker, **arguments).source


def training_sources(
    images, captioned, seed=0, workers=1, boxes=False, maker=""
):
    """Captioned and unlabelled scenes.

    Args:
        images: Int, all scenes.
        captioned: Int, how many of them have captions.
        seed: Int, the seed of the scenes.
        workers: Int, processes that paint them.
        boxes: Bool, whether captions say which boxes there are (Table 4),
            rather than what there is.
        maker: String, as of `make`.

    Returns:
        Two sources, of the captioned scenes and of all; and a tokenizer learnt
        on the captions.
    """
    everything = make(maker, workers, size=images, seed=seed)
    reward, length = everything.subset(slice(captioned)), SEQUENCE_LENGTH
    if boxes:
        length = BOXES["sequence_length"]
        reward = data.box_captions(reward, BOXES["boxes"], bins=BOXES["bins"])
    if "text" not in reward.fields:
        raise ValueError(
            "Scenes to learn captions from must have 'text'. Received: "
            f"{maker} with {sorted(reward.fields)}"
        )
    records = map(reward.annotations, range(len(reward)))
    texts = [text for record in records for text in captions_of(record)]
    if maker:
        return reward, everything, _tokenizer(texts)
    tokenizer = data.WordTokenizer.from_texts(texts, sequence_length=length)
    return reward, everything, tokenizer


def _tokenizer(texts):
    """A tokenizer as long as nearly all of its texts need."""
    whole = data.WordTokenizer.from_texts(
        texts, sequence_length=LONGEST, vocabulary_size=32_000
    )
    words = np.count_nonzero(whole(texts), axis=1)
    length = int(np.quantile(words, COVERED)) + 1
    return data.WordTokenizer(whole.get_vocabulary(), max(length, 2))


class HeldOut:
    """Scenes that no training saw, and everything measured on them.

    Args:
        train: Int, scenes for fitting probes.
        test: Int, scenes for testing.
        workers: Int, processes that paint them.
    """

    def __init__(self, train=3000, test=2000, workers=1):
        # Another seed than any training's: probes are fitted on new scenes.
        probe = data.Scenes(size=train, seed=1_000_003).cache(workers)
        held = data.Scenes(size=test, seed=1_000_003, split="test")
        held = held.cache(workers)
        self.train_images, self.train_labels = probe.images, _labels(probe)
        self.images, self.labels = held.images, _labels(held)
        self.captions = [held[i]["text"][0] for i in range(test)]
        self.queries = probes.forced_choice_queries(
            held, scenes.describe, count=test
        )

    def chance(self):
        """What guessing gives, for each figure."""
        share = np.bincount(self.labels).max() / len(self.labels)
        return {
            "zero_shot": 1 / len(scenes.CLASSES),
            "knn": float(share),
            "linear": float(share),
            "reward_accuracy": 1 / 64,
            "value_forced_choice": 0.5,
            "value_forced_choice_seen": 0.5,
            "value_forced_choice_unseen": 0.5,
            "value_forced_choice_shuffled_actions": 0.5,
        }

    def ceiling(self, model, network=None):
        """What foresight would give the value function; see the probe."""
        hits = probes.forced_choice_ceiling(model, self.queries, network)
        return {k: float(v.mean()) for k, v in self._by_sight(hits).items()}

    def _by_sight(self, hits):
        """Hits of all queries, and apart: is the object in the view?"""
        seen = self.queries.seen
        parts = {
            "value_forced_choice": hits,
            "value_forced_choice_seen": hits[seen],
            "value_forced_choice_unseen": hits[~seen],
        }
        return {name: some for name, some in parts.items() if len(some)}

    def outcomes(self, model, network=None):
        """Hits and misses of a model, figure by figure.

        Args:
            model: A `keras_ab.models.Pretrainer`; one without captions has no
                figures that need some.
            network: `"target"`, `"online"` or None for the default.

        Returns:
            Dict from the names of figures to vectors of outcomes.
        """
        train = probes.extract_features(model, self.train_images, network)
        test = probes.extract_features(model, self.images, network)
        knn = probes.knn_predict(train, self.train_labels, test)
        linear = probes.linear_predict(train, self.train_labels, test)
        outcomes = {"knn": knn == self.labels, "linear": linear == self.labels}
        if reads_text(model):
            captions = self._outcomes_of_captions(model, network)
            outcomes = {**captions, **outcomes}
        return {k: np.asarray(v, "float64") for k, v in outcomes.items()}

    def _outcomes_of_captions(self, model, network):
        zero_shot = probes.zero_shot_predict(
            model, self.images, data.Scenes.prompts(), network
        )
        ranks = probes.reward_ranks(
            model, self.images, self.captions, network=network
        )
        outcomes = {
            "zero_shot": zero_shot == self.labels,
            "reward_accuracy": ranks < 0.5,
        }
        if hasattr(model, "value"):
            queries = self.queries
            hits = probes.forced_choice(model, queries, network)
            outcomes.update(self._by_sight(hits))
            outcomes["value_forced_choice_shuffled_actions"] = (
                probes.forced_choice(model, queries.shuffled(), network)
            )
        return outcomes

    def evaluate(self, model, network=None):
        """Figures of a model, each with its 95% interval.

        Args:
            model: As in `outcomes`.
            network: As in `outcomes`.

        Returns:
            Dict of accuracies, and `"intervals"`, a dict of pairs.
        """
        outcomes = self.outcomes(model, network)
        return {
            **{name: float(hits.mean()) for name, hits in outcomes.items()},
            "intervals": {
                name: probes.bootstrap_interval(hits)
                for name, hits in outcomes.items()
            },
        }


def reads_text(model):
    """Whether a model's annotations are captions."""
    return hasattr(model.online.objectives[0], "text_encoder")


def _labels(source):
    return np.array([source[i]["label"] for i in range(len(source))])
