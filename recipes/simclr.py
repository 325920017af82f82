r"""SimCLR: contrast of two views of each image.

    python -m recipes.simclr --smoke
    python -m recipes.simclr --small --seed 0 --json runs/simclr-0.json
    python -m recipes.simclr --source imagenet/
    python -m recipes.simclr --dry-run

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

    projection_dim: int = option(256, "space of views (SLIP)")
    head_dim: int = option(4096, "two hidden layers of the head (SLIP)")
    temperature: float = option(0.1, "of the contrast (SimCLR)")
    views_batch_size: int = option(4096, "images, of two views; Table 7")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(3128, "ten ImageNet epochs of 4096; Table 7")
    weight_decay: float = option(0.04, "at the start, of kernels; Table 7")
    end_weight_decay: float = option(0.4, "at the end of a cosine; Table 7")
    beta_2: float = option(0.999, "of AdamW; its default")
    average_rate: float = option(0.0, "EMA of the weights; 0 for none, Table 7")
    source: str = option("", "folder of images; '' for scenes")
    output: str = option("runs/simclr", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=12,
    views=1_024_000,
    projection_dim=128,
    head_dim=256,
    views_batch_size=64,
    average_rate=0.004,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    warmup_steps=2,
    images=256,
    test=128,
    workers=1,
)


def build(options):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.SimCLR(
        options.size,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        projection_dim=options.projection_dim,
        hidden_dims=(options.head_dim, options.head_dim),
        temperature=options.temperature,
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
        return dry_run.report("simclr", model, steps, options)
    source = sources.unlabelled(options.source, options)
    model, steps = build(options)

    def batches(start_step):
        return data.simclr_batches(
            source,
            image_size=options.image_size,
            batch_size=options.views_batch_size,
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "simclr",
        model,
        options,
        not options.source,
        untrained=lambda: build(options)[0],
    )


if __name__ == "__main__":
    main()
