"""Compiled steps, kept for the processes that come after."""

import pathlib

import keras

from keras_ab.typing import PathLike


def keep(directory: PathLike) -> bool:
    """Keeps what JAX compiles in a folder, and takes it from there.

    A run that goes on then need not compile its step again. Call it before
    `fit`, best before the model is built. A folder that was chosen already,
    by the environment variable `JAX_COMPILATION_CACHE_DIR` or in JAX's
    configuration, stays the one. An entry that does not fit the versions, the
    devices or the step, or that a kill cut short, is not used: JAX compiles.

    On PyTorch a step is not compiled; with `jit_compile=True`, PyTorch keeps
    in a folder of its own what it can. On TensorFlow each process compiles
    anew.

    Args:
        directory: Path of a folder, made where it is missing. Nothing in it is
            ever removed: one folder a run, or one that somebody looks after.

    Returns:
        Bool, whether compiled steps are kept now.

    Example:

    >>> keras_ab.compilation.keep("runs/abclip/compiled")
    """
    if keras.backend.backend() != "jax":
        return False
    import jax

    if getattr(jax.config, "jax_compilation_cache_dir", None):
        return True
    jax.config.update(
        "jax_compilation_cache_dir", str(pathlib.Path(directory).absolute())
    )
    # By default JAX leaves out what compiled within a second.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # Or what was compiled before would have decided that there is no cache.
    from jax.experimental.compilation_cache import compilation_cache

    compilation_cache.reset_cache()
    return True
