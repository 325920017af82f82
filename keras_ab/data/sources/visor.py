"""The polygons of VISOR, as boxes."""

import json
from typing import Any

import numpy as np

from keras_ab.data.sources import files
from keras_ab.data.sources.boxes import empty
from keras_ab.data.sources.boxes import normalise
from keras_ab.typing import PathLike


def read_frames(path: PathLike, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Records of the annotated frames.

    Args:
        path: A JSON file of VISOR, or a folder of them.
        size: `(height, width)` in pixels of what the polygons were drawn on.

    Returns:
        A list of dicts: `"id"`, `"clip"`, `"frame"`, `"boxes"`, `"classes"`;
        and `"fault"` where an annotation is wrong.

    Raises:
        ValueError: If a file has no `"video_annotations"`.
    """
    if files.is_folder(path):
        names = sorted(n for n in files.walk(path) if n.endswith(".json"))
        documents = [files.join(path, name) for name in names]
    else:
        documents = [str(path)]
    records, seen = [], set()
    for document in documents:
        for number, entry in enumerate(_entries(document)):
            try:
                record = _record(entry, size)
            except (AttributeError, KeyError, TypeError, ValueError):
                record = {
                    "id": f"{document}[{number}]",
                    "clip": None,
                    "frame": None,
                    "fault": "invalid annotation",
                }
            if record["id"] in seen:
                record["fault"] = "duplicate key"
            seen.add(record["id"])
            records.append(record)
    return records


def _record(entry, size):
    image = entry["image"]
    stem = image["name"].rpartition(".")[0]
    record = {
        "id": image["name"],
        "clip": image.get("video") or stem.rpartition("_frame_")[0],
        "frame": int(stem.rpartition("_")[2]),
    }
    corners, classes = [], []
    for thing in entry["annotations"]:
        # A thing that is named but not seen has no polygon.
        points = [p for polygon in thing["segments"] for p in polygon]
        if points:
            x, y = np.array(points, "float64").reshape(-1, 2).T
            corners.append([y.min(), x.min(), y.max(), x.max()])
            classes.append(int(thing["class_id"]))
    boxes, fault = normalise(corners, *size) if corners else (empty(), None)
    record["boxes"] = boxes
    record["classes"] = np.array(classes, "int64")
    return record if fault is None else {**record, "fault": fault}


def _entries(path):
    try:
        content = json.loads(files.read(path))
        return content["video_annotations"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} must be a CSV of EPIC-Kitchens-100's actions or a JSON "
            f"file of VISOR, with 'video_annotations'. {error!r}"
        ) from error
