r"""MAE: pixels of masked patches from those of others.

    python -m recipes.mae --smoke
    python -m recipes.mae --small --seed 0 --json runs/mae-0.json
    python -m recipes.mae --source imagenet/
    python -m recipes.mae --dry-run

Without a scale, the settings are the paper's (ViT-S/16, 800M views); small
trains on the built-in scenes on a CPU, smoke shows that everything runs.
"""

import dataclasses

import keras

from keras_ab import data
from keras_ab import models
from recipes import budget
from recipes import dry_run
from recipes import evaluation
from recipes import optimizers
from recipes import runs
from recipes import sources
from recipes.options import RunOptions
from recipes.options import option
from recipes.options import parse


@dataclasses.dataclass(frozen=True)
class Options(RunOptions):
    """Settings of the recipe; the defaults are the paper's (Table 7)."""

    decoder_dim: int = option(512, "width of the decoder; MAE's code")
    decoder_layers: int = option(8, "blocks of the decoder; MAE's code")
    decoder_heads: int = option(16, "heads of the decoder; MAE's code")
    keep: float = option(0.25, "share of patches kept; MAE")
    masked_batch_size: int = option(8192, "images; Table 7")
    learning_rate: float = option(0.0024, "peak, AdamW; Table 7")
    warmup_steps: int = option(10_000, "Table 7")
    weight_decay: float = option(0.05, "of kernels, times the rate; Table 7")
    beta_2: float = option(0.95, "of AdamW; Table 7")
    average_rate: float = option(0.0, "EMA of the weights; 0 for none, Table 7")
    source: str = option("", "folder of images; '' for scenes")
    output: str = option("runs/mae", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=6,
    views=1_024_000,
    decoder_dim=64,
    decoder_layers=2,
    decoder_heads=2,
    masked_batch_size=128,
    learning_rate=0.001,
    average_rate=0.004,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    decoder_dim=32,
    decoder_layers=1,
    warmup_steps=2,
    images=256,
    test=128,
    workers=1,
)


def build(options):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.MAE(
        options.size,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        decoder_dim=options.decoder_dim,
        decoder_layers=options.decoder_layers,
        decoder_heads=options.decoder_heads,
        target_rate=options.average_rate or None,
    )
    model.compile(
        optimizers.adamw(options),
        encoder_passes=options.encoder_passes,
    )
    return model, steps


def main(argv=None):
    options = parse(
        {"paper": PAPER, "small": SMALL, "smoke": SMOKE}, __doc__, argv
    )
    if options.dry_run or options.plan:
        model, steps = build(options)
        return dry_run.report("mae", model, steps, options)
    source = sources.unlabelled(options.source, options)
    model, steps = build(options)

    def batches(start_step):
        return data.mae_batches(
            source,
            image_size=options.image_size,
            patch_size=options.patch_size,
            batch_size=options.masked_batch_size,
            keep=options.keep,
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "mae",
        model,
        options,
        not options.source,
        untrained=lambda: build(options)[0],
    )


if __name__ == "__main__":
    main()
