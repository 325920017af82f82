"""Presets on Kaggle, Hugging Face and Google Cloud Storage."""

import hashlib
import os
import pathlib
import re
from collections.abc import Sequence

from keras_ab.data.tf import tensorflow
from keras_ab.models.preset_files import CONFIG
from keras_ab.presets.errors import PresetError

ADDRESS = re.compile(r"[\w.~@-]+(/[\w.~@-]+)*")


def fetch(
    address: str, names: Sequence[str], max_bytes: int
) -> dict[str, pathlib.Path]:
    """Fetches the files of a preset into the cache of the hub's library.

    Args:
        address: `kaggle://`, `hf://` or `gs://` and what stands there.
        names: The files to ask for.
        max_bytes: Int, the most that a file may have. Hugging Face and Google
            say how large a file is before it is fetched, Kaggle does not.

    Returns:
        Dict from names to paths; files that are not there are left out.

    Raises:
        FileNotFoundError: If there is no `config.json`.
        ImportError: If the hub's library is not installed.
        ValueError: If the address has another form.
    """
    scheme, _, rest = address.partition("://")
    parts = rest.split("/")
    lengths = {"kaggle": (4, 5), "hf": (2,), "gs": range(1, 20)}
    if (
        not ADDRESS.fullmatch(rest)
        or len(parts) not in lengths[scheme]
        or any(part in (".", "..") for part in parts)
    ):
        raise ValueError(
            "A preset's address must be kaggle://USER/MODEL/keras/VARIANT or "
            "that with /VERSION, hf://USER/MODEL, or gs://BUCKET/FOLDER. "
            f"Received: {address!r}"
        )
    of = {"kaggle": _from_kaggle, "hf": _from_hf, "gs": _from_gs}[scheme]
    found = {}
    for name in names:
        path = of(rest, name, max_bytes)
        if path is not None:
            found[name] = pathlib.Path(path)
        elif name == CONFIG:
            raise FileNotFoundError(f"{address} has no {CONFIG}.")
    return found


def _check_size(address, name, size, max_bytes):
    if size is not None and size > max_bytes:
        raise PresetError(
            f"{name} of {address} has {size:,} bytes, more than the "
            f"{max_bytes:,} that are allowed (`max_bytes`). It was not "
            "fetched."
        )


def _from_kaggle(handle, name, max_bytes):
    import kagglehub
    from kagglehub.exceptions import KaggleApiHTTPError

    try:
        return kagglehub.model_download(handle, name)
    except KaggleApiHTTPError as error:
        if getattr(error.response, "status_code", None) != 404:
            raise
    except ValueError as error:
        # The cache's answer for a file of a model that is there already.
        if "is not present" not in str(error):
            raise
    return None


def _from_hf(repository, name, max_bytes):
    import huggingface_hub
    from huggingface_hub.errors import RemoteEntryNotFoundError

    try:
        if not huggingface_hub.constants.HF_HUB_OFFLINE:
            address = huggingface_hub.hf_hub_url(repository, name)
            size = huggingface_hub.get_hf_file_metadata(address).size
            _check_size(f"hf://{repository}", name, size, max_bytes)
        return huggingface_hub.hf_hub_download(repository, name)
    except RemoteEntryNotFoundError:
        return None


def _from_gs(folder, name, max_bytes):
    gfile = tensorflow().io.gfile
    address = f"gs://{folder}/{name}"
    if not gfile.exists(address):
        return None
    size = gfile.stat(address).length
    _check_size(f"gs://{folder}", name, size, max_bytes)
    # One folder an address, whose name no address can choose.
    place = cache() / hashlib.sha256(folder.encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    path = place / name
    if not path.exists() or path.stat().st_size != size:
        aside = place / f"{name}.unfinished"
        gfile.copy(address, str(aside), overwrite=True)
        os.replace(aside, path)
    return path


def cache() -> pathlib.Path:
    """The folder of what was fetched from Google Cloud Storage."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return pathlib.Path(home).expanduser() / "keras_ab" / "presets"
