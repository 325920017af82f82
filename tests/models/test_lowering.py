"""Every method's step lowers for accelerators that this machine lacks.

Lowered, not run: whatever a platform does not know would fail here, what it
gets wrong would not.
"""

import keras
import pytest

from tests.distribution import methods

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="jax.export is JAX's"
)
PLATFORMS = ("tpu", "cuda")


def lowered(model, batch):
    """A model's training step, exported for other platforms."""
    import jax

    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    state = tuple([v.value for v in group] for group in groups)
    step = jax.jit(model.train_step, donate_argnums=0)
    return jax.export.export(step, platforms=PLATFORMS)(state, (batch,))


def check(name, policy, **settings):
    keras.config.set_dtype_policy(policy)
    model = methods.MODELS[name]()
    assert model.compute_dtype == policy.removeprefix("mixed_")
    optimizer = keras.optimizers.AdamW(1e-3, global_clipnorm=1.0)
    model.compile(optimizer, **settings)
    exported = lowered(model, methods.batch(name))
    assert exported.platforms == PLATFORMS
    # State goes in and out alike, so that steps can follow each other.
    logs = len(model.get_metrics_result())
    assert len(exported.out_avals) + len(methods_leaves(name)) == (
        len(exported.in_avals) + logs
    )


def methods_leaves(name):
    return keras.tree.flatten(methods.batch(name))


def test_clip():
    check("clip", "float32")


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", methods.MODELS)
def test_every_method(name, policy):
    check(name, policy)


@pytest.mark.slow
def test_loss_scaling_and_passes():
    check("abclip", "mixed_float16", encoder_passes=2)
