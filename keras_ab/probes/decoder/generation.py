"""Answers, token by token, within a grammar."""

import keras
import numpy as np
from keras import ops

from keras_ab.probes.decoder.network import MultiTaskDecoder
from keras_ab.probes.decoder.rules import Rules
from keras_ab.probes.decoder.vocabulary import END
from keras_ab.typing import Shape
from keras_ab.typing import Tensors

HIGHEST = 1e30
"""Logits are clipped to it, so that no forbidden id can be as likely."""


class Generator(keras.Model):
    """Answers of a decoder to prompts of one task, the likeliest ids first.

    What may not stand at a place is never chosen, however likely it is.

    Args:
        decoder: A `MultiTaskDecoder` that is built.
        rules: The `Rules` of the task.
        prompt: Int, the longest prompt, the task's own id included.

    Call arguments:
        inputs: Dict of `"tokens"`, floats of shape `(B, T, C)`; `"prompt"`,
            int32 of shape `(B, prompt)`, filled up with anything; and
            `"length"`, int32 of shape `(B,)`, how many ids of it count.

    Returns:
        Dict of `"ids"`, int32 of shape `(B, places)`, filled up with the end;
        and `"probabilities"`, float32 of that shape: those of the ids by the
        softmax over the whole vocabulary.
    """

    def __init__(self, decoder: MultiTaskDecoder, rules: Rules, prompt: int):
        super().__init__()
        self.decoder = decoder
        self.rules = rules
        self.prompt_length = prompt

    def build(self, input_shape: dict[str, Shape]) -> None:
        pass

    def call(self, inputs: Tensors) -> Tensors:
        length, rules = inputs["length"], self.rules
        prompt = ops.cast(inputs["prompt"], "int32")
        last = self.prompt_length + rules.places - 1
        context = self.decoder.context(inputs["tokens"])
        memories = [block.memory(context) for block in self.decoder.blocks]
        batch = ops.shape(context)[0]
        heads = self.decoder.num_heads
        # Keras warns of a softmax over one key.
        room = max(last, 2)
        shape = (batch, room, heads, self.decoder.hidden_dim // heads)
        empty = ops.zeros(shape, context.dtype)
        ids = ops.pad(prompt, ((0, 0), (0, rules.places)))
        found = ops.zeros((batch, last + 1), "float32")
        caches = tuple((empty, empty) for _ in memories)

        def going(here, ids, found, done, caches):
            return ops.logical_and(here < last, ops.logical_not(ops.all(done)))

        def step(here, ids, found, done, caches):
            logits, caches = self._logits(here, ids, caches, memories)
            place = here + 1 - length
            chosen = ops.argmax(self._allowed(logits, ids, here, place), -1)
            chosen = ops.cast(chosen, "int32")
            chosen = ops.where(done, END, chosen)
            shares = ops.softmax(logits, axis=-1)
            share = ops.take_along_axis(shares, chosen[:, None], axis=-1)[:, 0]
            given = ops.take(ids, here + 1, axis=1)
            answers = place >= 0
            chosen = ops.where(answers, chosen, given)
            share = ops.where(answers, share, 0.0)
            done = ops.logical_or(done, ops.logical_and(answers, chosen == END))
            at = ops.arange(last + 1, dtype="int32")[None] == here + 1
            ids = ops.where(at, chosen[:, None], ids)
            found = ops.where(at, share[:, None], found)
            return here + 1, ids, found, done, caches

        state = (
            ops.convert_to_tensor(0, "int32"),
            ids,
            found,
            ops.zeros((batch,), "bool"),
            caches,
        )
        _, ids, found, _, _ = ops.while_loop(going, step, state)
        # Answers begin where prompts end.
        places = ops.arange(rules.places, dtype="int32")[None]
        places = ops.minimum(places + length[:, None], last)
        return {
            "ids": ops.take_along_axis(ids, places, axis=1),
            "probabilities": ops.take_along_axis(found, places, axis=1),
        }

    def _logits(self, here, ids, caches, memories):
        """Logits for the next place, and the caches after this one."""
        decoder = self.decoder
        x = decoder.embedding(ops.take(ids, here, axis=1)[:, None])
        x = x + decoder.places(ops.reshape(here, (1, 1)))
        new = []
        for block, cache, memory in zip(decoder.blocks, caches, memories):
            x, cache = block.step(x, here, cache, memory)
            new.append(cache)
        return decoder.head(decoder.norm(x))[:, 0], tuple(new)

    def _allowed(self, logits, ids, here, place):
        """Logits with those of forbidden ids below all others."""
        rules = self.rules
        place = ops.clip(place, 0, rules.places)
        kinds = ops.take(ops.convert_to_tensor(rules.kind, "int32"), place)
        allowed = ops.take(ops.convert_to_tensor(rules.allowed), kinds, axis=0)
        above = ops.take(ops.convert_to_tensor(rules.above, "int32"), place)
        before = ops.maximum(here + 1 - above, 0)
        floor = ops.take_along_axis(ids, before[:, None], axis=1)
        floor = ops.where(above[:, None] > 0, floor, -1)
        numbers = ops.arange(rules.allowed.shape[1], dtype="int32")[None]
        allowed = ops.logical_and(allowed, numbers > floor)
        logits = ops.clip(ops.nan_to_num(logits), -HIGHEST, HIGHEST)
        return ops.where(allowed, logits, -2.0 * HIGHEST)


def pad_batch(rows: np.ndarray, size: int) -> np.ndarray:
    """Rows filled up to a batch by repeats of the first one."""
    if len(rows) == size:
        return rows
    return np.concatenate([rows, np.repeat(rows[:1], size - len(rows), 0)])
