"""What Python modules hold, by its name in a command."""

import importlib
import re
from typing import Any

FORM = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
"""`MODULE:NAME`, either with dots."""


def by_name(spec: str, what: str, accepted: str) -> Any:
    """Imports a module, and takes something out of it.

    Args:
        spec: String, `"MODULE:NAME"`.
        what: String, what is looked for, for errors.
        accepted: String, what else could be named, for errors.

    Returns:
        Whatever has that name.

    Raises:
        FileNotFoundError: If there is no such module, or it has no such name.

    Example:

    >>> from keras_ab.data.by_name import by_name
    >>> by_name("keras_ab.data:Scenes", "a source", "MODULE:NAME")
    # <class Scenes>
    """
    module, _, name = spec.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise FileNotFoundError(
            f"There is no module {error.name!r} to take {what} from. "
            f"Received: {spec!r}. Accepted: {accepted}."
        ) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise FileNotFoundError(
                f"Module {module!r} has no {part!r}. Received: {spec!r}"
            )
        found = getattr(found, part)
    return found
