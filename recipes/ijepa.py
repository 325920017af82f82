r"""I-JEPA: features of masked blocks from a context.

    python -m recipes.ijepa --smoke
    python -m recipes.ijepa --small --seed 0 --json runs/ijepa-0.json
    python -m recipes.ijepa --source imagenet/
    python -m recipes.ijepa --dry-run

Without a scale, the settings are the paper's (ViT-S/16, 800M views); small
trains on the built-in scenes on a CPU, smoke shows that everything runs.
"""

import dataclasses

import keras

from keras_ab import data
from keras_ab import models
from keras_ab import schedules
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

    predictor_dim: int = option(384, "width of the predictor; I-JEPA's code")
    predictor_layers: int = option(6, "its blocks; half of ViT-H's, for S")
    min_patches: int = option(10, "a block has more; I-JEPA's code")
    masked_batch_size: int = option(4096, "images; Table 7")
    start_learning_rate: float = option(0.0002, "of the warm-up; I-JEPA's code")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(12_512, "40 ImageNet epochs of 4096; Table 7")
    weight_decay: float = option(0.04, "at the start, of kernels; Table 7")
    end_weight_decay: float = option(0.4, "at the end of a cosine; Table 7")
    beta_2: float = option(0.999, "of AdamW; its default")
    end_learning_rate: float = option(1e-06, "of the cosine; I-JEPA's code")
    target_rate: float = option(0.004, "EMA at the start; Table 7")
    end_target_rate: float = option(0.0, "EMA at the end of a line; Table 7")
    source: str = option("", "folder of images; '' for scenes")
    output: str = option("runs/ijepa", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=6,
    views=1_024_000,
    predictor_dim=64,
    predictor_layers=2,
    min_patches=4,
    masked_batch_size=128,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    predictor_dim=32,
    predictor_layers=1,
    warmup_steps=2,
    images=256,
    test=128,
    workers=1,
)


def build(options):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.IJEPA(
        options.size,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        predictor_dim=options.predictor_dim,
        predictor_layers=options.predictor_layers,
        target_rate=schedules.linear(
            options.target_rate, options.end_target_rate, steps
        ),
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
        return dry_run.report("ijepa", model, steps, options)
    source = sources.unlabelled(options.source, options)
    model, steps = build(options)

    def batches(start_step):
        return data.ijepa_batches(
            source,
            image_size=options.image_size,
            patch_size=options.patch_size,
            batch_size=options.masked_batch_size,
            masks=data.masks.BlockMasks(
                model.encoder.grid_shape, min_patches=options.min_patches
            ),
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "ijepa",
        model,
        options,
        not options.source,
        untrained=lambda: build(options)[0],
    )


if __name__ == "__main__":
    main()
