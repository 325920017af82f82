"""The named presets: every method at every size of the ViT papers.

A configuration is what the paper's recipe of a method builds, at a size:
sizes are those of `keras_ab.backbones.SIZES`, and everything else is the
default of the method's class, which is the paper's. What hangs on the length
of a run (schedules of rates and temperatures) is left to recipes.
"""

import dataclasses
import inspect
from typing import Any

from keras_ab import models
from keras_ab.backbones import TextTransformer

SIZES = ("Ti", "S", "B", "L")
PATCH = 16
SIDE = 224
# Texts of 32,000 words and 64 tokens stand for a tokenizer that is not given.
WORDS, LENGTH = 32_000, 64
TEXT_LAYERS = 12
PAPER_VIEWS = 800_000_000


@dataclasses.dataclass(frozen=True)
class Method:
    """How a method's presets are made.

    Args:
        model: The class.
        title: String, what it is.
        data: String, what it trains on.
    """

    model: type[models.Pretrainer]
    title: str
    data: str

    @property
    def reads_text(self) -> bool:
        """Whether its annotations are captions."""
        return "text_encoder" in inspect.signature(self.model).parameters


CAPTIONS, IMAGES = "captioned images", "images"
CROPS = "unlabelled crops"
METHODS = {
    "clip": Method(models.CLIP, "image-text contrast", CAPTIONS),
    "simclr": Method(models.SimCLR, "contrast of two views", IMAGES),
    "dino": Method(models.DINO, "self-distillation", IMAGES),
    "slip": Method(models.SLIP, "CLIP and SimCLR", f"{CAPTIONS}, {IMAGES}"),
    "silc": Method(models.SiLC, "CLIP and DINO", f"{CAPTIONS}, {IMAGES}"),
    "mae": Method(models.MAE, "pixels of masked patches", IMAGES),
    "ijepa": Method(models.IJEPA, "features of masked blocks", IMAGES),
    "abclip": Method(
        models.ABCLIP, "bootstrapping on captions", f"{CAPTIONS}, {CROPS}"
    ),
    "absimclr": Method(
        models.ABSimCLR, "bootstrapping on views", f"{IMAGES}, {CROPS}"
    ),
    "abdino": Method(
        models.ABDINO, "bootstrapping on prototypes", f"{IMAGES}, {CROPS}"
    ),
}


def names() -> dict[str, tuple[str, str]]:
    """Names of configurations, each with its method and size."""
    return {
        f"{method}_{size.lower()}{PATCH}": (method, size)
        for method in METHODS
        for size in SIZES
    }


def row(name: str) -> dict[str, Any]:
    """What the table of presets says of a configuration.

    Args:
        name: One of `names()`.

    Returns:
        A dict, as `keras_ab.presets.list` has it.
    """
    method, size = names()[name]
    return {
        "name": name,
        "method": method,
        "description": METHODS[method].title,
        "size": f"{size}/{PATCH}",
        "image_size": SIDE,
        "data": METHODS[method].data,
        "views": PAPER_VIEWS,
        "weights": False,
        "results": None,
    }


def build(method: str, size: str, **overrides: Any) -> models.Pretrainer:
    """A model with weights that start at random.

    Args:
        method: One of `METHODS`.
        size: A size of `keras_ab.backbones.SIZES`.
        **overrides: Arguments of the method's class, in place of the preset's.

    Returns:
        A `keras_ab.models.Pretrainer`.

    Raises:
        ValueError: For an argument that the class does not take.
    """
    chosen = METHODS[method]
    taken = list(inspect.signature(chosen.model).parameters)
    unknown = [key for key in overrides if key not in taken]
    if unknown:
        raise ValueError(
            f"{chosen.model.__name__} has no arguments {unknown}. Accepted: "
            f"{taken}"
        )
    arguments = {
        "image_encoder": size,
        "image_shape": (SIDE, SIDE, 3),
        "patch_size": PATCH,
        **overrides,
    }
    if chosen.reads_text and "text_encoder" not in overrides:
        tokenizer = overrides.get("tokenizer")
        arguments["text_encoder"] = TextTransformer.from_size(
            size,
            vocabulary_size=WORDS
            if tokenizer is None
            else tokenizer.vocabulary_size(),
            sequence_length=LENGTH
            if tokenizer is None
            else tokenizer.sequence_length,
            num_layers=TEXT_LAYERS,
            dtype=overrides.get("dtype"),
            name="text_encoder",
        )
    return chosen.model(**arguments)
