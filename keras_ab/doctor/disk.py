"""Whether a run could write what it has to."""

import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from keras_ab.doctor.finding import Finding
from keras_ab.typing import PathLike

# Two checkpoints of a ViT-L with its target network and optimizer.
ENOUGH = 10 * 2**30


def check_disk(folder: PathLike, enough: int = ENOUGH) -> Iterator[Finding]:
    """Writes a file into a folder, and looks at the space that is left.

    Args:
        folder: The folder; where it is missing, the nearest above it.
        enough: Int, bytes that should be free.

    Yields:
        `Finding`s.
    """
    place = pathlib.Path(folder).absolute()
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        yield Finding(
            "disk",
            "wrong",
            f"{place} cannot be written to: {error}",
            "name another folder with --output",
        )
        return
    free = shutil.disk_usage(place).free
    said = f"{free / 2**30:,.1f} GB free at {place}"
    figures = {"free_bytes": free}
    if free >= enough:
        yield Finding("disk", "fine", said, figures=figures)
    else:
        yield Finding(
            "disk",
            "note",
            said,
            f"two checkpoints of a large model take {enough / 2**30:.0f} GB; "
            "small ones take little",
            figures,
        )
