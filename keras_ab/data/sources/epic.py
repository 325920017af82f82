"""The action annotations of EPIC-Kitchens-100."""

import csv
import io
from typing import Any

from keras_ab.data.sources import files
from keras_ab.data.sources.captions import clean_captions
from keras_ab.typing import PathLike

NEEDED = ("video_id", "start_frame", "stop_frame")


def read_actions(
    path: PathLike, videos: dict[str, dict[int, Any]], every: int | None = None
) -> list[dict[str, Any]]:
    """Records of the frames that show actions.

    Args:
        path: The CSV: `narration_id`, `video_id`, `start_frame`,
            `stop_frame`, and where known `verb_class`, `noun_class` (the test
            set's are not) and `narration`.
        videos: Dict from videos to dicts from the frames that are there.
        every: Int, every n-th frame of an action that is there, from its
            first on; None for the one in the middle.

    Returns:
        A list of dicts: `"id"` (the narration's, with the frame where an
        action gives several), `"clip"`, `"frame"`, `"verb"`, `"noun"`,
        `"text"`; and `"fault"` where a row does not parse.

    Raises:
        ValueError: If a column is missing.
    """
    rows = _table(path)
    missing = [c for c in NEEDED if rows and c not in rows[0]]
    if missing:
        raise ValueError(
            f"{path} needs the columns {list(NEEDED)}. Received: "
            f"{sorted(rows[0])}"
        )
    records, seen = [], set()
    for number, row in enumerate(rows, 1):
        name = row.get("narration_id") or f"{path}:{number}"
        record = {"id": name, "clip": row["video_id"], "frame": None}
        try:
            first, last = int(row["start_frame"]), int(row["stop_frame"])
            for key in ("verb", "noun"):
                if f"{key}_class" in row:
                    record[key] = int(row[f"{key}_class"])
        except (TypeError, ValueError):
            records.append({**record, "fault": "invalid annotation"})
            continue
        if "narration" in row:
            record["text"] = clean_captions(row["narration"] or "")
        if name in seen:
            records.append({**record, "fault": "duplicate key"})
        elif every is None:
            records.append({**record, "frame": (first + last) // 2})
        else:
            there = videos.get(row["video_id"], {})
            frames = [f for f in range(first, last + 1, every) if f in there]
            records += [
                {**record, "id": f"{name}/{frame}", "frame": frame}
                for frame in frames
            ] or [record]
        seen.add(name)
    return records


def read_classes(path: PathLike | None) -> list[str] | None:
    """Names of the classes in a CSV of `id` and `key`, in order, or None."""
    if path is None:
        return None
    names = {}
    for row in _table(path):
        if "id" not in row or "key" not in row:
            raise ValueError(
                f"{path} needs the columns 'id' and 'key'. Received: "
                f"{sorted(row)}"
            )
        names[int(row["id"])] = row["key"]
    return [
        names.get(i, f"class {i}") for i in range(max(names, default=-1) + 1)
    ]


def _table(path):
    text = files.read(path).decode("utf-8-sig", "surrogateescape")
    return list(csv.DictReader(io.StringIO(text, newline="")))
