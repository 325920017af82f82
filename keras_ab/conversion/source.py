"""A vision transformer of another library, in this one's terms."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.backbones import ViT

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = (
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
)
SIGNED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
PIXELS = {"imagenet": IMAGENET, "clip": CLIP, "signed": SIGNED}
Pixels = str | tuple[Sequence[float], Sequence[float]]


@dataclasses.dataclass
class Source:
    """What `keras_ab.conversion.open_source` read.

    Attributes:
        arguments: Dict, the arguments of the `keras_ab.backbones.ViT` that
            computes the same.
        arrays: Dict from paths of its weights, such as
            `"block_0/mlp/expand/kernel"`, to float32 arrays.
        unused: List of names in the source that a ViT has no place for.
        notes: List of sentences on what was done to fit.
        name: String, where it came from.
    """

    arguments: dict[str, Any]
    arrays: dict[str, np.ndarray]
    unused: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    name: str = "source"

    @property
    def grid_shape(self) -> tuple[int, int]:
        """`(rows, columns)` of the patches that positions are for."""
        (height, width), (rows, columns) = (
            self.arguments["patch_size"],
            self.arguments["image_shape"][:2],
        )
        return rows // height, columns // width

    def build(self, **overrides: Any) -> ViT:
        """A ViT with these weights.

        Args:
            **overrides: Arguments of `keras_ab.backbones.ViT` in place of the
                source's, such as `image_shape`, `drop_path_rate`, `pooling`.

        Returns:
            A built `keras_ab.backbones.ViT`, to be handed to a method as its
            image encoder.
        """
        # Imported here: it imports this module.
        from keras_ab.conversion.warm_start import warm_start

        vit = ViT(**{"name": "image_encoder", **self.arguments, **overrides})
        vit.build((None, *vit.image_shape))
        warm_start(vit, self)
        return vit


def as_pixels(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of pixels in [0, 1].

    Args:
        pixels: `"imagenet"`, `"clip"`, `"signed"` (for [-1, 1]), or
            `(mean, std)`, three numbers each.

    Returns:
        Two float64 arrays of shape `(3,)`.
    """
    if isinstance(pixels, str):
        if pixels not in PIXELS:
            raise ValueError(
                f"`pixels` must be one of {list(PIXELS)} or (mean, std). "
                f"Received: {pixels!r}"
            )
        pixels = PIXELS[pixels]
    mean, std = (np.asarray(part, "float64") for part in pixels)
    if mean.shape != (3,) or std.shape != (3,) or (std <= 0).any():
        raise ValueError(
            "`pixels` must be (mean, std), three numbers each. Received: "
            f"{pixels!r}"
        )
    return mean, std


def patch_projection(
    kernel: np.ndarray, bias: np.ndarray | None, pixels: Pixels
) -> dict[str, np.ndarray]:
    """The projection of patches, for pixels in [-1, 1].

    What the source does to pixels first, `(p - mean) / std`, is a linear map,
    and becomes part of the projection.

    Args:
        kernel: Floats of shape `(height, width, 3, hidden_dim)`.
        bias: Floats of shape `(hidden_dim,)`, or None.
        pixels: As in `as_pixels`: what the source takes.

    Returns:
        Dict of the two arrays, by their paths.
    """
    mean, std = as_pixels(pixels)
    kernel = np.asarray(kernel, "float64")
    dim = kernel.shape[-1]
    # p = (x + 1) / 2, so (p - mean) / std = x / (2 std) + (0.5 - mean) / std.
    moved = np.einsum("hwcd,c->d", kernel, (0.5 - mean) / std)
    bias = moved if bias is None else bias + moved
    kernel = kernel * (0.5 / std)[:, None]
    return {
        "patches/projection/kernel": kernel.reshape(-1, dim),
        "patches/projection/bias": bias,
    }


def prefix_and_positions(
    class_token: np.ndarray | None,
    positions: np.ndarray,
    registers: np.ndarray | None = None,
    places: int | None = None,
) -> dict[str, np.ndarray]:
    """Class token, registers and positions of patches.

    Here only patches have positions: those of other tokens are added to them.

    Args:
        class_token: Floats that hold `(hidden_dim,)`, or None.
        positions: Floats that hold `(T, hidden_dim)`, those of the class token
            and registers first, where these have some.
        registers: Floats that hold `(R, hidden_dim)`, or None.
        places: Int, how many of the positions are not patches'; None for 1
            with a class token, else 0.

    Returns:
        Dict of arrays by their paths.
    """
    dim = positions.shape[-1]
    positions = positions.reshape(-1, dim)
    if places is None:
        places = int(class_token is not None)
    before = [] if class_token is None else [class_token.reshape(1, dim)]
    if registers is not None:
        before.append(registers.reshape(-1, dim))
    found = {"positions/embeddings": positions[places:]}
    if not before:
        return found
    tokens = np.concatenate(before)
    tokens[:places] += positions[:places]
    if class_token is not None:
        found["class_embedding"] = tokens[None, :1]
        tokens = tokens[1:]
    if registers is not None:
        found["registers"] = tokens[None]
    return found


def places_before(
    count: int, patches: int | None, prefixes: Sequence[int]
) -> int:
    """How many positions are not those of patches.

    Args:
        count: Int, positions in all.
        patches: Int, patches; None where they are a square of any size.
        prefixes: The numbers that there can be, the likeliest first.

    Returns:
        One of `prefixes`.

    Raises:
        ValueError: If none leaves the positions of a grid.
    """
    for places in prefixes:
        left = count - places
        if left == (round(left**0.5) ** 2 if patches is None else patches):
            return places
    wanted = "a square grid" if patches is None else f"{patches} patches"
    raise ValueError(
        f"{count} positions are not those of {wanted}, with "
        f"{' or '.join(map(str, prefixes))} before them. `image_shape`, "
        "(height, width, 3), says what the grid is."
    )


def image_shape_of(
    patches: int, patch_size: Sequence[int]
) -> tuple[int, int, int]:
    """The image that has a number of patches, a square of them."""
    side = round(patches**0.5)
    return side * patch_size[0], side * patch_size[1], 3


def heads_of(hidden_dim: int, num_heads: int | None) -> int:
    """How many heads, where a file does not say: 64 numbers each."""
    if num_heads is None:
        if hidden_dim % 64:
            raise ValueError(
                "The file does not say how many heads there are, and "
                f"{hidden_dim} is no multiple of 64: pass `num_heads`."
            )
        num_heads = hidden_dim // 64
    if hidden_dim % num_heads:
        raise ValueError(
            f"`num_heads` must divide {hidden_dim}. Received: {num_heads}"
        )
    return num_heads
