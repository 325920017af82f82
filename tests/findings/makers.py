"""Functions that make scenes, for tests and for a smoke by hand."""

import keras_ab

FIELDS = ("image", "id", "text", "label")


def flat(size=20, seed=0, split="train"):
    """Scenes that know neither boxes nor depth."""
    made = keras_ab.data.Scenes(size, seed, 32, split)
    records = [made[i] for i in range(size)]
    return keras_ab.data.MemorySource(
        [{field: record[field] for field in FIELDS} for record in records],
        made.class_names,
    )


def the_same_again(size=20, seed=0, split="train"):
    """Tests on what it trains on."""
    return flat(size)


def without_split(size=20):
    """Takes too little."""
    return flat(size)


def nothing(size=20, seed=0, split="train"):
    """Returns no source."""
    return [1, 2, 3]
