"""Data sets with everything that is wrong in real ones, and what is right."""

import io
import json
import pathlib
import tarfile

import numpy as np
from PIL import Image

from tests.reference import odd_images

LONG = " ".join(["word"] * 1000)  # 4,999 characters
CAPTIONS = {
    "empty.txt": (b"  \n", "empty caption"),
    "latin1.txt": (b"caf\xe9", "invalid caption"),
    "long.txt": (LONG.encode(), None),
    "spaced.txt": (b"\xef\xbb\xbf  two\t cats \r\n\r\n", None),
    "none": (None, "no caption"),
}


def images():
    """Dicts from names to bytes: usable, and to `(bytes, reason)`: not."""
    image = Image.fromarray(odd_images.picture(100, 150))
    grey = np.arange(0, 65536, 16, "uint16").reshape(64, 64)
    large = odd_images.picture(40, 60).repeat(100, 0).repeat(100, 1)
    usable = {
        **odd_images.usable(),
        "sixteen.png": odd_images.encode(Image.fromarray(grey), "PNG"),
        "sixteen.tif": odd_images.encode(Image.fromarray(grey), "TIFF"),
        "animated.png": odd_images.encode(
            image, "PNG", save_all=True, append_images=[image.rotate(90)]
        ),
        "animated.webp": odd_images.encode(
            image, "WEBP", save_all=True, append_images=[image.rotate(90)]
        ),
        "jpeg_called.png": odd_images.jpeg(np.asarray(image)),
        "webp_called.jpg": odd_images.encode(image, "WEBP"),
        "UPPER.JPG": odd_images.jpeg(np.asarray(image)),
        "large.jpg": odd_images.jpeg(large),
    }
    webp = usable["lossless.webp"]
    unusable = {
        **odd_images.unusable(),
        "cut.webp": (webp[: len(webp) // 2], "truncated"),
        "cut.tif": (usable["a.tiff"][:5000], "truncated"),
        "cut.bmp": (usable["true.bmp"][:5000], "truncated"),
        "bomb.jpg": (_bomb(usable["plain.jpg"]), "too many pixels"),
    }
    return usable, unusable


def _bomb(jpeg):
    """A JPEG whose header promises 60,000 by 60,000 pixels."""
    place = jpeg.index(b"\xff\xc0") + 5
    side = (60_000).to_bytes(2, "big")
    return jpeg[:place] + 2 * side + jpeg[place + 4 :]


def write_folder(folder):
    """Images, with captions beside them.

    Returns:
        Set of the ids that can be used, and dict from the others' ids to
        reasons.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    usable, unusable = images()
    good, bad = set(), {}
    for name, content in usable.items():
        _write(folder / "good" / name, content, b"a picture")
        good.add(f"good/{name}")
    for name, (content, reason) in unusable.items():
        _write(folder / "bad" / name, content, b"a picture")
        bad[f"bad/{name}"] = reason
    for name, (text, reason) in CAPTIONS.items():
        id = f"{name.removesuffix('.txt')}.jpg"
        _write(folder / id, usable["plain.jpg"], text)
        if reason:
            bad[id] = reason
        else:
            good.add(id)
    (folder / "notes.md").write_text("no image, and not said to be one")
    return good, bad


def _write(file, content, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    if text is not None:
        # Two images may share a stem, and then its captions.
        file.with_suffix(".txt").write_bytes(text)


def write_tars(folder):
    """Two shards, of which the second was cut.

    Returns:
        As `write_folder`.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    usable, unusable = images()
    plain = usable["plain.jpg"]
    members, good, bad = [], set(), {}

    def add(key, kind, content, text):
        members.append((f"{key}.{kind}", content))
        if text is not None:
            members.append((f"{key}.txt", text))

    for number, (name, content) in enumerate(usable.items()):
        kind = name.rpartition(".")[2]
        add(f"good{number:03d}", kind, content, b"a picture")
        good.add(f"00000/good{number:03d}")
    for number, (name, (content, reason)) in enumerate(unusable.items()):
        kind = name.rpartition(".")[2]
        add(f"bad{number:03d}", kind, content, b"a picture")
        bad[f"00000/bad{number:03d}"] = reason
    for name, (text, reason) in CAPTIONS.items():
        key = name.removesuffix(".txt")
        add(key, "jpg", plain, text)
        if reason:
            bad[f"00000/{key}"] = reason
        else:
            good.add(f"00000/{key}")
    add("twice", "jpg", plain, b"first")
    add("twice", "jpg", plain, None)
    good.add("00000/twice")
    members.append(("alone.txt", b"a caption without its image"))
    members += [("../up.jpg", plain), ("/abs.jpg", plain)]
    members.append(("a/../../out.jpg", plain))
    again = {
        "00000/twice": "duplicate key",
        "00000/alone": "missing",
        "00000/../up.jpg": "unsafe name",
        "00000//abs.jpg": "unsafe name",
        "00000/a/../../out.jpg": "unsafe name",
        "00000/link.jpg": "not a file",
    }
    _tar(folder / "00000.tar", members, link="link.jpg")
    second = [
        member
        for number in range(4)
        for member in ((f"{number}.jpg", plain), (f"{number}.txt", b"a dog"))
    ]
    _tar(folder / "00001.tar", second)
    whole = (folder / "00001.tar").read_bytes()
    # In the middle of the third image.
    place = 2 * (512 + -(-len(plain) // 512) * 512 + 1024) + 512 + 200
    (folder / "00001.tar").write_bytes(whole[:place])
    good |= {"00001/0", "00001/1"}
    bad["00001/2"] = "truncated archive"
    return good, {**bad, **again}


def _tar(path, members, link=None):
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(info)


def write_coco(folder):
    """Images and `instances.json` in COCO's format.

    Returns:
        As `write_folder`.
    """
    folder = pathlib.Path(folder)
    (folder / "images").mkdir(parents=True)
    usable, unusable = images()
    rows, boxes, good, bad = [], [], set(), {}

    def add(name, content, box=(2, 3, 4, 5), category=7, reason=None):
        size = (60, 80)
        rows.append(
            {
                "id": len(rows) + 1,
                "file_name": name,
                "height": size[0],
                "width": size[1],
            }
        )
        boxes.append(
            {
                "id": 100 + len(rows),
                "image_id": len(rows),
                "category_id": category,
                "bbox": list(box),
            }
        )
        if content is not None:
            (folder / "images" / name).write_bytes(content)
        if reason:
            bad[name] = reason
        else:
            good.add(name)

    plain = usable["plain.jpg"]
    for name, content in usable.items():
        add(name, content)
    for name, (content, reason) in unusable.items():
        add(f"bad_{name}", content, reason=reason)
    outside = "box outside image"
    add("outside.jpg", plain, box=(70, 10, 30, 10), reason=outside)
    add("negative.jpg", plain, box=(-9, 10, 30, 10), reason=outside)
    add("flat.jpg", plain, box=(5, 5, 0, 10), reason="empty box")
    add("short.jpg", plain, box=(5, 5, 3), reason="invalid annotation")
    add("rounded.jpg", plain, box=(70.0, 10.0, 10.4, 10.0))
    add("what.jpg", plain, category=99, reason="undeclared category")
    add("gone.jpg", None, reason="missing")
    boxes.append(
        {"id": 999, "image_id": 5000, "category_id": 7, "bbox": [1, 1, 2, 2]}
    )
    bad["annotation 999"] = "undeclared image"
    rows.append({**rows[0], "file_name": "second_of_one.jpg"})
    bad["second_of_one.jpg"] = "duplicate key"
    content = {
        "images": rows,
        "annotations": boxes,
        "categories": [{"id": 7, "name": "thing"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return good, bad
