"""How weights are cut up between devices, for `keras.distribution`."""

import keras

WHOLE = None

# By the ends of variables' paths, so that the online and the target network
# lie alike; an optimizer's slots lie as their weights do. CUT marks the axis
# that is cut: the wide side of an MLP and of queries, keys and values, the
# classes of prototypes, and elsewhere what is a multiple of the width of a
# transformer, whatever the sizes of vocabularies and heads are.
CUT = object()
LAYOUTS = {
    "qkv/kernel": (WHOLE, CUT),
    "qkv/bias": (CUT,),
    "query/kernel": (WHOLE, CUT),
    "query/bias": (CUT,),
    "key_value/kernel": (WHOLE, CUT),
    "key_value/bias": (CUT,),
    "output_projection/kernel": (CUT, WHOLE),
    "expand/kernel": (WHOLE, CUT),
    "expand/bias": (CUT,),
    "contract/kernel": (CUT, WHOLE),
    "patches/projection/kernel": (WHOLE, CUT),
    "embedding/kernel": (WHOLE, CUT),
    "token_embedding/embeddings": (WHOLE, CUT),
    "bin_embeddings": (WHOLE, CUT),
    "[^/]*head/projection/kernel": (CUT, WHOLE),
    "(latents|pixels)/projection/kernel": (CUT, WHOLE),
    r"head/hidden_\d+/kernel": (WHOLE, CUT),
    "bottleneck/kernel": (CUT, WHOLE),
    "classifier/kernel": (CUT, WHOLE),
    "prototypes/kernel": (CUT, WHOLE),
    "annotation_head/kernel": (CUT, WHOLE),
}


def layout_map(
    device_mesh: keras.distribution.DeviceMesh, axis: str = "model"
) -> keras.distribution.LayoutMap:
    """A layout map for every network of the package.

    Kernels and tables are cut along one axis, in the online and the target
    network alike; norms, biases of narrow sides, positions and scalars are
    whole on each device. Models of others inside a network, such as that of
    a `FrozenReward`, are whole too.

    Args:
        device_mesh: A `keras.distribution.DeviceMesh`.
        axis: The name of the mesh's axis along which weights are cut. The
            sizes of layers must be multiples of its size.

    Returns:
        A `keras.distribution.LayoutMap`, to which more may be added.

    Raises:
        ValueError: If the mesh has no such axis.

    Example:

    >>> mesh = keras.distribution.DeviceMesh(
    ...     (1, 1), ("batch", "model"), devices=["cpu:0"]
    ... )
    >>> layouts = keras_ab.distribution.layout_map(mesh)
    >>> layouts["abclip/target/image_encoder/block_0/mlp/expand/kernel"].axes
    # (None, "model")
    """
    if axis not in device_mesh.axis_names:
        raise ValueError(
            "`axis` must be an axis of the mesh, one of "
            f"{list(device_mesh.axis_names)}. Received: {axis!r}"
        )
    layouts = keras.distribution.LayoutMap(device_mesh)
    for path, axes in LAYOUTS.items():
        cut = tuple(axis if side is CUT else None for side in axes)
        layouts[f".*/(online|target)/.*{path}"] = (
            keras.distribution.TensorLayout(cut, device_mesh)
        )
    return layouts
