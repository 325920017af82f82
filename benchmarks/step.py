r"""What a training step costs, on JAX.

    KERAS_BACKEND=jax python -m benchmarks.step --json runs/step.json

Two ratios, each from one interleaved run: `vit_vs_kerashub`, KerasHub's time
for the forward and backward pass of a ViT-S/16 over ours (above 1: ours is
faster), at 32 images (at fewer, in `vit_vs_kerashub_by_batch`, matrix
products are a larger part of both), and `ab_step_vs_bare`, the time of
`model.fit` for an ABCLIP step over that of the same step written directly
against JAX (`bare_step.py`).

Needs KerasHub (`pip install keras-hub`) for the first.
"""

import dataclasses
import os
import statistics
import time

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

from benchmarks import bare_step
from benchmarks import cli
from keras_ab import backbones
from keras_ab import data
from recipes import ab_clip


def interleave(candidates, rounds):
    """Seconds of each candidate, turn by turn.

    Args:
        candidates: Dict of functions, each of which returns when its work is
            done; the first call of each is not counted.
        rounds: Int.

    Returns:
        Dict of lists of seconds.
    """
    seconds = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, work in candidates.items():
            started = time.perf_counter()
            work()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds, slow, fast):
    """Median over the turns of one candidate's time over another's."""
    return statistics.median(
        a / b for a, b in zip(seconds[slow], seconds[fast])
    )


def forward_and_backward(layer, images):
    """A function that computes the gradient of the tokens' mean square."""

    def loss(trainable, fixed, x):
        tokens, _ = layer.stateless_call(trainable, fixed, x, training=True)
        return (tokens**2).mean()

    step = jax.jit(jax.value_and_grad(loss))
    trainable = [v.value for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    return lambda: jax.block_until_ready(step(trainable, fixed, images))


def time_vit(rounds, batch):
    """Ours and KerasHub's ViT-S/16 at 224 pixels."""
    images = np.random.default_rng(0).normal(size=(batch, 224, 224, 3))
    images = jax.numpy.asarray(images, "float32")
    ours = backbones.ViT.from_size("S")
    ours.build()
    candidates = {"ours": forward_and_backward(ours, images)}
    try:
        from keras_hub.models import ViTBackbone
    except ImportError:
        print("KerasHub is not installed: only our ViT is timed.")
    else:
        hub = ViTBackbone(
            image_shape=(224, 224, 3),
            patch_size=16,
            num_layers=12,
            num_heads=6,
            hidden_dim=384,
            mlp_dim=1536,
        )
        candidates["kerashub"] = forward_and_backward(hub, images)
    return interleave(candidates, rounds)


def ab_model(images):
    """An ABCLIP of the paper's size, its batch and its shape."""
    options = dataclasses.replace(
        ab_clip.PAPER,
        reward_batch_size=2 * images,
        value_batch_size=images // 2,
        views=1_000 * 4 * images,
        warmup_steps=1,
    )
    words = [f"word{i}" for i in range(8_000)]
    tokenizer = data.WordTokenizer.from_texts(words, sequence_length=64)
    model, _ = ab_clip.build(options, tokenizer)
    # The rate stays, so that both steps go on from one another's turn alike.
    model.compile(
        keras.optimizers.AdamW(
            options.learning_rate,
            weight_decay=options.weight_decay,
            beta_2=options.beta_2,
            epsilon=1e-8,
        )
    )
    rng = np.random.default_rng(0)
    side = options.image_size
    corner = rng.uniform(0, 0.5, (options.value_batch_size, 4, 2))
    batch = {
        "reward": {
            "image": rng.integers(
                0, 256, (options.reward_batch_size, side, side, 3), "uint8"
            ),
            "text": rng.integers(
                0, 8_000, (options.reward_batch_size, 64), "int32"
            ),
        },
        "value": {
            "image": rng.integers(
                0, 256, (*corner.shape[:2], side, side, 3), "uint8"
            ),
            "boxes": np.concatenate([corner, corner + 0.4], -1).astype(
                "float32"
            ),
        },
    }
    encoder = model.encoder
    shape = {
        "patch": options.patch_size,
        "heads": encoder.num_heads,
        "layers": encoder.num_layers,
        "text_layers": options.text_layers,
        "decoder_layers": options.decoder_layers,
    }
    return model, batch, shape, options


def flops(model, batch):
    """FLOPs of a training step, as XLA counts them before it optimises."""
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    state = tuple([v.value for v in group] for group in groups)
    lowered = jax.jit(model.train_step).lower(state, (batch,))
    return lowered.cost_analysis()["flops"]


def fitting(model, batch, steps, losses, name):
    """A function that fits a model to one batch for some steps."""
    import tensorflow as tf

    model._prepare(batch)
    dataset = tf.data.Dataset.from_tensors(batch).repeat()

    def fit():
        history = model.fit(
            dataset, steps_per_epoch=steps, shuffle=False, verbose=0
        )
        losses[name] = history.history["loss"][0]

    return fit


def ab_candidates(images, steps, losses):
    """ABCLIP's step by `fit` and written bare, on one batch.

    Args:
        images: Int, see `ab_model`.
        steps: Int, updates a turn.
        losses: Dict that gets the mean loss of the latest turn of each.

    Returns:
        Dict of the functions `fit` and `bare`; the model and its batch.
    """
    model, batch, shape, options = ab_model(images)
    fit = fitting(model, batch, steps, losses, "fit")
    prefix = f"{model.name}/online/"
    weights = {
        w.path.removeprefix(prefix): jax.numpy.array(w.value)
        for w in model.online.weights
    }
    state = bare_step.start(weights)
    bare = bare_step.make_step(
        shape, options.learning_rate, options.weight_decay
    )
    device_batch = jax.tree.map(jax.numpy.asarray, batch)

    def run_bare():
        nonlocal state
        total = []
        for _ in range(steps):
            state, value = bare(state, device_batch)
            total.append(value)
        losses["bare"] = float(np.mean([float(x) for x in total]))
        jax.block_until_ready(state)

    return {"fit": fit, "bare": run_bare}, model, batch


def check_alike(losses):
    """That both have made as many updates from one start on one batch."""
    difference = abs(losses["fit"] - losses["bare"])
    if difference > 0.02 * abs(losses["bare"]):
        raise AssertionError(f"The two steps are not the same: {losses}")


def time_ab_step(rounds, images, steps):
    """`fit` and the bare step on one batch, `steps` updates a turn."""
    losses = {}
    candidates, _, _ = ab_candidates(images, steps, losses)
    seconds = interleave(candidates, rounds)
    check_alike(losses)
    return seconds, losses


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--vit-batches",
        type=int,
        nargs="+",
        default=(8, 16, 32),
        metavar="N",
        help="images at a time; the last gives `vit_vs_kerashub`",
    )
    parser.add_argument("--images", type=int, default=4, help="see ab_model")
    parser.add_argument("--steps", type=int, default=10, help="a turn")
    parser.add_argument("--part", choices=("all", "vit", "ab"), default="all")
    options = parser.parse_args(argv)
    results = {"keras": keras.__version__, "jax": jax.__version__}
    if options.part in ("all", "vit"):
        results["vit_seconds"] = {}
        ratios = results["vit_vs_kerashub_by_batch"] = {}
        for batch in options.vit_batches:
            seconds = time_vit(options.rounds, batch)
            results["vit_seconds"][str(batch)] = seconds
            if "kerashub" in seconds:
                ratios[str(batch)] = ratio(seconds, "kerashub", "ours")
                results["vit_vs_kerashub"] = ratios[str(batch)]
    if options.part in ("all", "ab"):
        seconds, losses = time_ab_step(
            options.rounds, options.images, options.steps
        )
        results["ab_seconds"] = seconds
        results["ab_losses"] = losses
        results["ab_step_vs_bare"] = ratio(seconds, "fit", "bare")
    print(cli.text(results))
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
