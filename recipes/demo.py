r"""What annotation bootstrapping learns, in minutes on a CPU.

    make demo
    python -m recipes.demo --smoke

Trains ABCLIP and CLIP on as many views of the built-in scenes, 2,000 of which
have captions, and compares both with the untrained network on held-out
scenes. Writes runs/demo/results.json, curves.png and value_map.png.
"""

import contextlib
import dataclasses
import importlib.util
import logging
import os
import pathlib
import time

from recipes.options import option
from recipes.options import parse

if "KERAS_BACKEND" not in os.environ:
    # TensorFlow is there for tf.data anyway; PyTorch is faster on CPUs.
    torch = importlib.util.find_spec("torch")
    os.environ["KERAS_BACKEND"] = "torch" if torch else "tensorflow"


@dataclasses.dataclass(frozen=True)
class Options:
    """Settings of the demo."""

    views: int = option(256_000, "views that each method sees")
    images: int = option(6_000, "scenes")
    captioned: int = option(2_000, "scenes that have captions")
    test: int = option(2_000, "held-out scenes")
    workers: int = option(2, "processes that paint the scenes")
    seed: int = option(0, "of weights, order and crops")
    scale: str = option("small", "whose settings the methods take")
    output: str = option("runs/demo", "folder of the results")
    json: str = option("", "another file for the figures")


FULL = Options()
SMOKE = Options(
    views=2_048, images=256, captioned=128, test=160, workers=1, scale="smoke"
)


@contextlib.contextmanager
def start_up_messages_hidden():
    """TensorFlow's own, which it writes before any setting can reach it."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def settings(recipe, options, name):
    """A recipe's settings at the demo's size."""
    base = recipe.SMOKE if options.scale == "smoke" else recipe.SMALL
    return dataclasses.replace(
        base,
        views=options.views,
        images=options.images,
        captioned=options.captioned,
        seed=options.seed,
        warmup_steps=min(base.warmup_steps, 50),
        output=f"{options.output}/{name}",
    )


def train(model, batches, steps, views, name):
    """Fits a model under a progress bar; returns its curves."""
    import keras
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeRemainingColumn

    curves = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    with Progress(*columns, console=Console(width=80)) as progress:
        task = progress.add_task(f"{name:7}", total=steps, losses="starting")

        class Bar(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                losses = {
                    k.removesuffix("_loss"): float(v)
                    for k, v in logs.items()
                    if k.endswith("_loss")
                }
                curves.append(((len(curves) + 1) * views, losses))
                text = " ".join(f"{k} {v:.2f}" for k, v in losses.items())
                progress.update(task, advance=1, losses=text)

        # Short epochs, since Keras' logs are means over an epoch.
        every = max(1, steps // 40)
        model.fit(
            batches(0),
            epochs=-(-steps // every),
            steps_per_epoch=every,
            shuffle=False,
            verbose=0,
            callbacks=[Bar()],
        )
    return curves


def draw_curves(curves, path):
    """The losses of all methods over the views that they saw."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, points in curves.items():
        views = [v for v, _ in points]
        left.plot(views, [losses["reward"] for _, losses in points], label=name)
        if "value" in points[0][1]:
            values = [losses["value"] for _, losses in points]
            right.plot(views, values, color="C0", label=name)
    left.set(title="reward loss (InfoNCE)", xlabel="views")
    right.set(title="value loss (Bellman)", xlabel="views")
    for axis in (left, right):
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def draw_value_map(model, held_out, path):
    """A held-out scene and where the model would look for three things."""
    import numpy as np

    from keras_ab import analysis
    from keras_ab.data import scenes

    source = scenes.Scenes(size=200, seed=1_000_003, split="test")
    for index in range(len(source)):
        record = source[index]
        names = list(zip(record["classes"], record["colours"]))
        if len(names) == len(set(record["classes"])) and 4 <= len(names) <= 6:
            break
    spread = record["boxes"][:, 1] + record["boxes"][:, 3]
    chosen = np.argsort(spread)[[0, len(names) // 2, -1]]
    captions = [scenes.describe(*names[i]) for i in chosen]
    values = analysis.value_map(model, record["image"], captions)
    analysis.draw_value_maps(record["image"], values, captions, path)


ROWS = (
    ("zero_shot", "zero-shot accuracy"),
    ("knn", "kNN"),
    ("linear", "linear probe"),
    ("reward_accuracy", "reward: own caption of 64"),
    ("value_forced_choice", "value: which way to look"),
    ("value_forced_choice_seen", "  where the view shows the object"),
    ("value_forced_choice_unseen", "  where it does not"),
    ("value_forced_choice_shuffled_actions", "  all, with actions shuffled"),
)
CEILING = "  all, by the reward, shown both"


def print_table(results):
    """The figures in percent, with their 95% intervals."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("held-out scenes, %")
    methods = ("abclip", "clip", "untrained")
    for title in ("ABCLIP", "CLIP", "untrained", "chance"):
        table.add_column(title, justify="right")
    for key, title in ROWS:
        cells = []
        for method in methods:
            if key not in results[method]:
                cells.append("–")
                continue
            low, high = results[method]["intervals"][key]
            mean = results[method][key]
            cells.append(f"{100 * mean:.1f} ±{50 * (high - low):.1f}")
        cells.append(f"{100 * results['chance'][key]:.1f}")
        table.add_row(title, *cells)
    ceiling = results["ceiling"]["value_forced_choice"]
    table.add_row(CEILING, f"{100 * ceiling:.1f}", "–", "–", "")
    Console(width=80).print(table)


def main(argv=None):
    options = parse({"full": FULL, "smoke": SMOKE}, __doc__, argv)
    started = time.time()
    with start_up_messages_hidden():
        import keras
        import tensorflow as tf  # noqa: F401

        from keras_ab import data
        from recipes import ab_clip
        from recipes import budget
        from recipes import clip
        from recipes import runs
        from recipes import scenes

    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    print(f"Keras {keras.__version__} on {keras.backend.backend()}", flush=True)
    print(
        f"Painting {options.images} scenes, {options.captioned} of them with "
        "captions ...",
        flush=True,
    )
    # The processes that paint start TensorFlow, too.
    with start_up_messages_hidden():
        reward, value, tokenizer = scenes.training_sources(
            options.images, options.captioned, workers=options.workers
        )
        held_out = scenes.HeldOut(
            train=max(64, 3 * options.test // 2),
            test=options.test,
            workers=options.workers,
        )

    def bootstrap(step):
        return data.bootstrap_batches(
            reward,
            value,
            tokenizer,
            image_size=ab.image_size,
            reward_batch_size=ab.reward_batch_size,
            value_batch_size=ab.value_batch_size,
            seed=options.seed,
            start_step=step,
        )

    def contrast(step):
        return data.reward_batches(
            reward,
            tokenizer,
            image_size=base.image_size,
            batch_size=base.reward_batch_size,
            seed=options.seed,
            start_step=step,
        )

    # The paper's rate averages over 250 updates of some 100,000; the demo makes
    # 2,000.
    ab = dataclasses.replace(
        settings(ab_clip, options, "abclip"), target_rate=0.02, value_weight=4.0
    )
    base = settings(clip, options, "clip")
    ours, steps = ab_clip.build(ab, tokenizer)
    results = {"untrained": held_out.evaluate(ours, "online")}
    views = budget.views_per_step(ab)
    curves = {"ABCLIP": train(ours, bootstrap, steps, views, "ABCLIP")}
    theirs, steps = clip.build(base, tokenizer)
    views = base.reward_batch_size
    curves["CLIP"] = train(theirs, contrast, steps, views, "CLIP")
    print("Measuring on held-out scenes ...", flush=True)
    results["abclip"] = held_out.evaluate(ours)
    results["clip"] = held_out.evaluate(theirs)
    results["chance"] = held_out.chance()
    results["ceiling"] = held_out.ceiling(ours)
    results.update(
        views=curves["ABCLIP"][-1][0],
        captioned=options.captioned,
        unlabelled=options.images,
        backend=keras.backend.backend(),
        seconds=round(time.time() - started, 1),
    )
    for path in filter(None, (output / "results.json", options.json)):
        runs.write_results(path, results)
    draw_curves(curves, output / "curves.png")
    draw_value_map(ours, held_out, output / "value_map.png")
    ours.save(output / "abclip.keras")
    print_table(results)
    print(
        f"{results['seconds']:.0f} seconds. Wrote results.json, curves.png, "
        f"value_map.png and\nabclip.keras to\n{output}/"
    )


if __name__ == "__main__":
    main()
