"""Transformer sizes by name."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class TransformerSize:
    """Width, depth, heads and MLP width of a transformer.

    Args:
        hidden_dim: Int, size of a token.
        num_layers: Int, number of blocks.
        num_heads: Int, attention heads.
        intermediate_dim: Int, width inside the MLPs.
    """

    hidden_dim: int
    num_layers: int
    num_heads: int
    intermediate_dim: int


SIZES = {
    "test": TransformerSize(32, 2, 2, 64),
    "tiny": TransformerSize(64, 4, 2, 256),
    "Ti": TransformerSize(192, 12, 3, 768),
    "S": TransformerSize(384, 12, 6, 1536),
    "B": TransformerSize(768, 12, 12, 3072),
    "L": TransformerSize(1024, 24, 16, 4096),
}
"""Ti to L as in the ViT papers; `tiny` trains on a CPU, `test` in tests."""


def get_size(name: str) -> dict[str, int]:
    """The size of a name.

    Args:
        name: One of `SIZES`.

    Returns:
        A dict of `hidden_dim`, `num_layers`, `num_heads` and
        `intermediate_dim`.

    Example:

    >>> keras_ab.backbones.get_size("S")["hidden_dim"]
    # 384
    """
    if name not in SIZES:
        raise ValueError(
            f"A backbone's size must be one of {list(SIZES)}, or pass the "
            f"backbone itself. Received: {name!r}"
        )
    return dataclasses.asdict(SIZES[name])
