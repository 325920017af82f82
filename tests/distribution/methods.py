"""A tiny model of every method, and a batch that eight devices can share."""

from tests.models import crops
from tests.models import factory
from tests.models import masked
from tests.models import rewards

ROWS = 8
PARTS = {
    "abclip": ("reward", "value"),
    "clip": ("reward",),
    "sigmoid": ("reward", "value"),
    "simclr": ("views",),
    "absimclr": ("views", "value"),
    "slip": ("reward", "views"),
    "classes": ("reward", "value"),
    "frozen": ("value",),
}


MODELS = {
    "abclip": factory.abclip,
    "clip": factory.clip,
    "sigmoid": rewards.sigmoid,
    "simclr": rewards.simclr,
    "absimclr": rewards.absimclr,
    "slip": rewards.slip,
    "classes": rewards.classes,
    # Eight images of a batch share its five annotations.
    "frozen": lambda: rewards.frozen(fewer_than_images=True),
    "dino": crops.dino,
    "silc": crops.silc,
    "abdino": crops.abdino,
    "mae": masked.mae,
    "ijepa": masked.ijepa,
}


def batch(name, rows=ROWS, seed=0):
    """A batch for a method, each part of so many rows."""
    if name == "mae":
        return masked.mae_batch(rows, seed=seed)
    if name == "ijepa":
        return masked.ijepa_batch(rows, seed=seed)
    if name in ("dino", "silc", "abdino"):
        whole = factory.batch(rows, rows, seed=seed)
        whole["crops"] = crops.crops(rows, seed=seed)
        parts = {
            "dino": ("crops",),
            "silc": ("reward", "crops"),
            "abdino": ("crops", "value"),
        }[name]
    else:
        whole = rewards.batch(rows, rows, seed=seed)
        whole["views"]["image"] = whole["views"]["image"][:rows]
        parts = PARTS[name]
    return {part: whole[part] for part in parts}
