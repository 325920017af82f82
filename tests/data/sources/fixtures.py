"""Small data sets, written to disk by the tests."""

import io
import tarfile

import numpy as np
from PIL import Image


def jpeg(seed=0, size=(30, 40), format="JPEG"):
    """An encoded image of random pixels, as bytes; size in (height, width)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3))
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype("uint8")).save(buffer, format)
    return buffer.getvalue()


def write_images(path, names, size=(30, 40)):
    for seed, name in enumerate(names):
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        png = name.lower().endswith("png")
        file.write_bytes(jpeg(seed, size, "PNG" if png else "JPEG"))


def write_tar(path, members):
    """A tar of `(name, bytes)` pairs; names may repeat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def write_remote(path, content):
    import tensorflow as tf

    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.gfile.GFile(path, "wb") as stream:
        stream.write(content)


def check_load(source):
    """tf.data reads the bytes and captions that Python reads."""
    import tensorflow as tf

    loaded = tf.data.Dataset.range(len(source)).map(source.load)
    count = 0
    for index, record in enumerate(loaded.as_numpy_iterator()):
        expected = source[index]
        assert record["image"] == expected["image"]
        if "text" in source.fields:
            assert [t.decode() for t in record["text"]] == expected["text"]
        assert set(expected) == source.fields
        annotations = source.annotations(index)
        assert set(annotations) == source.fields - {"image"}
        assert annotations["id"] == expected["id"]
        count += 1
    assert count == len(source) > 0
