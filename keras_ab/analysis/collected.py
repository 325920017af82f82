"""What was collected through training, as arrays."""

import dataclasses
from typing import Any
from typing import Self

import numpy as np

from keras_ab.typing import PathLike


@dataclasses.dataclass
class Collected:
    """Arrays by name, one row a step.

    Args:
        steps: Int64 of shape `(S,)`, ascending: batches taken before.
        values: Dict from `"MEASURE/KEY"` to arrays of shape `(S, ...)`.

    Example:

    >>> steps, values = np.array([0, 10]), {"a/b": np.zeros((2, 3))}
    >>> keras_ab.analysis.Collected(steps, values).save("collected.npz")
    >>> keras_ab.analysis.Collected.load("collected.npz")["a/b"].shape
    # (2, 3)
    """

    steps: np.ndarray
    values: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """What has a name.

        Args:
            name: String, `"MEASURE/KEY"`.

        Returns:
            Array of shape `(S, ...)`.

        Raises:
            KeyError: If nothing has that name.
        """
        if name not in self.values:
            raise KeyError(
                f"Nothing is named {name!r}. There are: {sorted(self.values)}"
            )
        return self.values[name]

    def measure(self, name: str) -> dict[str, np.ndarray]:
        """All that one measure gave.

        Args:
            name: String.

        Returns:
            Dict from keys to arrays of shape `(S, ...)`.

        Raises:
            KeyError: If there is no such measure.
        """
        found = {
            key.removeprefix(f"{name}/"): value
            for key, value in self.values.items()
            if key.startswith(f"{name}/")
        }
        if not found:
            measures = sorted({key.split("/")[0] for key in self.values})
            raise KeyError(f"No measure is {name!r}. There are: {measures}")
        return found

    def until(self, step: int) -> Self:
        """What was collected up to a step, that step included.

        Args:
            step: Int.

        Returns:
            A `Collected`.
        """
        keep = self.steps <= step
        values = {key: value[keep] for key, value in self.values.items()}
        return dataclasses.replace(self, steps=self.steps[keep], values=values)

    def with_row(self, step: int, row: dict[str, Any]) -> Self:
        """The same and one step more.

        Args:
            step: Int.
            row: Dict from names to arrays or numbers; the same names at each
                step.

        Returns:
            A `Collected`.

        Raises:
            ValueError: If names or shapes are not those of the steps before.
        """
        row = {key: np.asarray(value)[None] for key, value in row.items()}
        if len(self.steps):
            if row.keys() != self.values.keys():
                raise ValueError(
                    "Measures give the same names at every step. Received: "
                    f"{sorted(row)} after {sorted(self.values)}"
                )
            row = {
                key: np.concatenate([self.values[key], value])
                for key, value in row.items()
            }
        return dataclasses.replace(
            self, steps=np.append(self.steps, np.int64(step)), values=row
        )

    def save(self, path: PathLike) -> None:
        """Writes an `.npz` file.

        Args:
            path: Its path.
        """
        with open(path, "wb") as stream:
            arrays: dict[str, Any] = {"steps": self.steps, **self.values}
            np.savez_compressed(stream, **arrays)

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Reads what `save` wrote.

        Args:
            path: Path of the `.npz` file.

        Returns:
            A `Collected`.

        Raises:
            ValueError: If it is another `.npz` file.
        """
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if "steps" not in arrays:
            raise ValueError(
                f"{path} must hold 'steps' and what was measured at them, as "
                f"`Collected.save` writes. Received: {sorted(arrays)}"
            )
        return cls(arrays.pop("steps"), arrays)

    @classmethod
    def nothing(cls) -> Self:
        """Nothing yet.

        Returns:
            A `Collected` of no steps.
        """
        return cls(np.zeros(0, "int64"), {})
