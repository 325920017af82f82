"""Frames of video, with the annotations of EPIC-Kitchens and VISOR."""

import collections
import posixpath
import re
from collections.abc import Sequence

from keras_ab.data.records import NothingUsable
from keras_ab.data.sources import epic
from keras_ab.data.sources import files
from keras_ab.data.sources import visor
from keras_ab.data.sources.folder import is_image
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.tars import tar_index
from keras_ab.typing import PathLike


def from_frames(
    path: PathLike,
    annotations: PathLike | None = None,
    every: int | None = None,
    clips: Sequence[str] | None = None,
    verb_classes: PathLike | None = None,
    noun_classes: PathLike | None = None,
    annotation_size: tuple[int, int] = (1080, 1920),
    index_folder: PathLike | None = None,
) -> StoredImages:
    """A source over frames of video, in a folder or a tar for each video.

    The name of the folder or tar is the video's, `"clip"` of a record; the
    last number in a file's name is the frame's, `"frame"`:
    `P01/rgb_frames/P01_01/frame_0000000012.jpg`, the same in `P01_01.tar`, or
    VISOR's `P01_01/P01_01_frame_0000000012.jpg`.

    Args:
        path: The folder; videos are found at any depth.
        annotations: None for the frames alone. The path of a CSV of
            EPIC-Kitchens-100's actions gives a record for each action, with
            `"verb"`, `"noun"` and the narration as `"text"`. The path of a
            VISOR JSON file, or of a folder of them, gives a record for each
            annotated frame, with `"boxes"` around the polygons and
            `"classes"`, the nouns of EPIC-Kitchens-100.
        every: Int, n: every n-th frame of a video, or of an action, from the
            first on. None for all frames of a video, and the middle one of an
            action.
        clips: List of videos to keep; None keeps all.
        verb_classes: Path of `EPIC_100_verb_classes.csv`, for `verb_names`.
        noun_classes: Path of `EPIC_100_noun_classes_v2.csv`, for `noun_names`
            and, with VISOR, `class_names`.
        annotation_size: `(height, width)` in pixels of the frames on which
            VISOR's polygons were drawn.
        index_folder: Folder for the indices of tars; None puts each beside
            its tar.

    Returns:
        A `StoredImages` source. `keras_ab.data.split_by` divides it without
        sharing a video.

    Raises:
        ValueError: If there are no frames, or an annotation file is in
            neither format.

    Example:

    ```python
    source = keras_ab.data.from_frames(
        "EPIC-KITCHENS", annotations="EPIC_100_train.csv"
    )
    train, test = keras_ab.data.split_by(source, "clip", 0.1)
    ```
    """
    if every is not None and every < 1:
        raise ValueError(
            f"`every` must be None or at least 1. Received: {every}"
        )
    if not files.is_folder(path):
        raise ValueError(
            f"`path` must be a folder of frames. Received: {str(path)!r}, "
            "which is no folder"
        )
    videos, rejected = _videos(path, index_folder)
    if clips is not None:
        unknown = sorted(set(clips) - set(videos))
        if unknown:
            raise ValueError(
                f"`clips` must be of the videos below {str(path)!r}. Received "
                f"others: {unknown[:5]}"
            )
        videos = {clip: videos[clip] for clip in clips}
    names = {
        "verb_names": epic.read_classes(verb_classes),
        "noun_names": epic.read_classes(noun_classes),
    }
    if annotations is None:
        rows = _all_frames(videos, every)
    elif str(annotations).endswith(".csv"):
        rows = epic.read_actions(annotations, videos, every)
    else:
        rows = visor.read_frames(annotations, annotation_size)
        names["class_names"] = names["noun_names"]
    paths, parts, records = [], [], []
    for row in rows:
        if clips is not None and row["clip"] not in videos:
            continue
        place = videos.get(row["clip"], {}).get(row["frame"])
        reason = row.pop("fault", None)
        if reason is None and place is None:
            reason = "missing"
        if reason is None and place[2] == 0:
            reason = "empty"
        if reason is not None:
            rejected.append((row["id"], reason))
            continue
        paths.append(place[0])
        parts.append(place[1:])
        records.append(row)
    if not records:
        raise NothingUsable(
            f"No frame below {str(path)!r} can be used. The first reasons: "
            f"{rejected[:3]}",
            rejected,
        )
    columns = {key: [row[key] for row in records] for key in records[0]}
    # Where all are whole files there is no need to read parts.
    whole = all(size is None or offset is None for offset, size in parts)
    return StoredImages(
        paths,
        columns,
        parts=None if whole else _sized(paths, parts),
        rejected=rejected,
        names={key: value for key, value in names.items() if value},
    )


def _videos(path, index_folder):
    """Dict from videos to dicts from frames to `(path, offset, size)`."""
    rejected = []
    videos: dict[str, dict[int, tuple[str, int | None, int | None]]]
    videos = collections.defaultdict(dict)
    for name, size in sorted(files.walk(path).items()):
        whole = files.join(path, name)
        if is_image(name):
            clip = posixpath.basename(posixpath.dirname(name))
            members = [(name, None, size)]
        elif name.lower().endswith(".tar"):
            clip = posixpath.basename(name)[:-4]
            index = tar_index(whole, index_folder)
            members = [m for m in index["members"] if is_image(m[0])]
            rejected += [
                (f"{clip}/{member}", reason)
                for member, reason in index["rejected"]
            ]
            if index["cut"] and not index["rejected"]:
                shard = posixpath.basename(name)
                rejected.append((f"{clip}/{shard}", "truncated archive"))
        else:
            continue
        for member, offset, length in members:
            frame = frame_number(member)
            if frame is None:
                continue
            if frame in videos[clip]:
                rejected.append((f"{clip}/{frame}", "duplicate key"))
            else:
                videos[clip][frame] = (whole, offset, length)
    return dict(videos), rejected


def frame_number(name: str) -> int | None:
    """The last number in a file's name, or None."""
    stem = posixpath.basename(name).rpartition(".")[0]
    numbers = re.findall(r"\d+", stem)
    return int(numbers[-1]) if numbers else None


def _all_frames(videos, every):
    return [
        {"id": f"{clip}/{frame}", "clip": clip, "frame": frame}
        for clip, frames in videos.items()
        for frame in sorted(frames)[:: every or 1]
    ]


def _sized(paths, parts):
    """Parts, where files that are whole stand among them."""
    return [
        (0, files.size_and_time(path)[0]) if offset is None else (offset, size)
        for path, (offset, size) in zip(paths, parts)
    ]
