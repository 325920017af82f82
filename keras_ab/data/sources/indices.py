"""Indices of archives: made once, kept in a file, made anew after a change."""

import hashlib
import json
import os
import posixpath
import warnings
from collections.abc import Callable
from typing import Any

from keras_ab.data.sources import files
from keras_ab.typing import PathLike

VERSION = 2


def indexed(
    path: PathLike,
    build: Callable[[PathLike], Any],
    folder: PathLike | None = None,
    variant: str = "",
) -> Any:
    """The index of an archive, from its file if that is still good.

    Args:
        path: The archive, local or remote.
        build: Callable of the path, which makes the index; a JSON value.
        folder: Folder for the index file; None puts it beside the archive,
            as `name.index.json`. Where it cannot be written the index is
            made at each opening, with a warning.
        variant: String, what the index depends on besides the archive.

    Returns:
        What `build` returned, now or then.
    """
    size, time = files.size_and_time(path)
    stamp = {
        "version": VERSION,
        "archive": posixpath.basename(str(path)),
        "size": size,
        "time": time,
        "variant": variant,
    }
    place = _place(str(path), folder)
    try:
        held = json.loads(files.read(place))
        if {key: held[key] for key in stamp} == stamp:
            return held["index"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # None yet, or one that was damaged: it is made anew.
    index = build(path)
    try:
        _write(place, json.dumps({**stamp, "index": index}))
    except OSError as error:
        warnings.warn(
            f"The index of {path} cannot be kept ({error}), so each opening "
            "reads the archive through. `index_folder` names another place",
            stacklevel=3,
        )
    return index


def _place(path, folder):
    if folder is None:
        return path + ".index.json"
    whole = path if files.is_remote(path) else os.path.abspath(path)
    digest = hashlib.sha256(os.fsencode(whole)).hexdigest()[:12]
    name = f"{posixpath.basename(path)}.{digest}.index.json"
    return files.join(folder, name)


def _write(place, text):
    """Under a temporary name first, so that no reader sees a part of it."""
    temporary = f"{place}.{os.getpid()}.part"
    if not files.is_remote(place):
        os.makedirs(os.path.dirname(os.path.abspath(place)), exist_ok=True)
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, place)
        return
    from keras_ab.data.tf import tensorflow

    tf = tensorflow()
    try:
        tf.io.gfile.makedirs(posixpath.dirname(place))
        with tf.io.gfile.GFile(temporary, "w") as stream:
            stream.write(text)
        tf.io.gfile.rename(temporary, place, overwrite=True)
    except tf.errors.OpError as error:
        raise OSError(str(error)) from error
