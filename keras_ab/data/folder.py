"""Folders of images."""

import csv
import json
import pathlib

from keras_ab.data.source import Source

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif")


def from_folder(path, captions=None, labels=None):
    """A source over the images below a folder.

    Args:
        path: The folder; images are found at any depth, by extension
            (`.jpg`, `.jpeg`, `.png`, `.bmp`, `.gif`).
        captions: Where captions are: `"txt"` for a file `name.txt` beside
            `name.jpg`, one caption a line; or the path of a `.csv` (columns
            `file_name` and `text`) or `.jsonl` (the same keys) file, names
            relative to the folder. None for no captions. Images without a
            caption are left out.
        labels: `"folders"` takes the name of an image's folder as its class.

    Returns:
        A `FolderSource`.

    Raises:
        ValueError: If the folder is missing, or has no image that can be
            used.

    Example:

    >>> photos = keras_ab.data.from_folder("photos", captions="txt")
    """
    return FolderSource(path, captions=captions, labels=labels)


class FolderSource(Source):
    """Images in a folder; see `keras_ab.data.from_folder`.

    Args:
        path: The folder.
        captions: `"txt"`, the path of a `.csv` or `.jsonl` file, or None.
        labels: `"folders"` or None.
    """

    def __init__(self, path, captions=None, labels=None):
        self.path = pathlib.Path(path)
        if not self.path.is_dir():
            raise ValueError(
                f"`path` must be a folder of images. Received: {str(path)!r}, "
                "which is no folder"
            )
        if labels not in (None, "folders"):
            raise ValueError(
                f"`labels` must be 'folders' or None. Received: {labels!r}"
            )
        names = sorted(
            file.relative_to(self.path).as_posix()
            for file in self.path.rglob("*")
            if file.suffix.lower() in EXTENSIONS and file.is_file()
        )
        if not names:
            raise ValueError(
                f"No images below {str(path)!r}. Accepted extensions: "
                f"{', '.join(EXTENSIONS)}"
            )
        self.texts = None
        if captions is not None:
            found = self._captions(captions, names)
            names = [name for name in names if found.get(name)]
            if not names:
                raise ValueError(
                    f"None of the images below {str(path)!r} has a caption "
                    f"by captions={str(captions)!r}"
                )
            self.texts = [found[name] for name in names]
        self.names = names
        self.class_names = None
        if labels == "folders":
            folders = [pathlib.PurePosixPath(n).parent.name for n in names]
            self.class_names = sorted(set(folders))
            self.labels = [self.class_names.index(f) for f in folders]

    def _captions(self, captions, names):
        """Dict from file names to lists of captions."""
        if captions == "txt":
            found = {}
            for name in names:
                file = (self.path / name).with_suffix(".txt")
                if file.is_file():
                    found[name] = _lines(file.read_text(encoding="utf-8"))
            return found
        file = pathlib.Path(captions)
        if file.suffix not in (".csv", ".jsonl") or not file.is_file():
            raise ValueError(
                "`captions` must be 'txt' or the path of a .csv or .jsonl "
                f"file. Received: {str(captions)!r}"
            )
        with file.open(encoding="utf-8", newline="") as stream:
            if file.suffix == ".csv":
                rows = list(csv.DictReader(stream))
            else:
                rows = [json.loads(line) for line in stream if line.strip()]
        found = {}
        for number, row in enumerate(rows, 1):
            if "file_name" not in row or "text" not in row:
                raise ValueError(
                    f"{file}, record {number}: needs 'file_name' and 'text'. "
                    f"Received: {sorted(k for k in row if k)}"
                )
            found.setdefault(row["file_name"], []).extend(_lines(row["text"]))
        return found

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        record = {"image": (self.path / name).read_bytes(), "id": name}
        if self.texts is not None:
            record["text"] = self.texts[index]
        if self.class_names is not None:
            record["label"] = self.labels[index]
        return record

    @property
    def fields(self):
        fields = {"image", "id"}
        if self.texts is not None:
            fields.add("text")
        if self.class_names is not None:
            fields.add("label")
        return frozenset(fields)

    def load(self, index):
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        paths = tf.constant([str(self.path / name) for name in self.names])
        record = {"image": tf.io.read_file(tf.gather(paths, index))}
        if self.texts is not None:
            record["text"] = tf.ragged.constant(self.texts)[index]
        return record


def _lines(text):
    return [
        " ".join(line.split()) for line in text.splitlines() if line.strip()
    ]
