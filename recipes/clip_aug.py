r"""CLIP+Aug: CLIP on one strongly augmented view of each image.

    python -m recipes.clip_aug --smoke
    python -m recipes.clip_aug --small --seed 0 --json runs/clip_aug-0.json
    python -m recipes.clip_aug --reward cc12m/ --captions txt
    python -m recipes.clip_aug --dry-run

Without a scale, the settings are the paper's (ViT-S/16, 800M views); small
trains on the built-in scenes on a CPU, smoke shows that everything runs.
"""

import dataclasses

import keras

from keras_ab import backbones
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

    text_layers: int = option(12, "layers of the text transformer")
    projection_dim: int = option(512, "space of images and texts (SLIP)")
    reward_batch_size: int = option(8192, "captioned images; Table 7, CLIP")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(1060, "one CC12M epoch at 8192; Table 7")
    weight_decay: float = option(0.1, "of kernels, times the rate; Table 7")
    beta_2: float = option(0.98, "of AdamW; Table 7")
    area_low: float = option(0.08, "smallest crop; Fini et al. 2023")
    average_rate: float = option(0.0, "EMA of the weights; 0 for none, Table 7")
    reward: str = option("", "folder of captioned images; '' for scenes")
    captions: str = option("txt", "their captions: 'txt', or a csv or jsonl")
    captioned: int = option(2000, "built-in scenes that have captions")
    output: str = option("runs/clip_aug", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=12,
    views=1_024_000,
    text_layers=2,
    projection_dim=128,
    reward_batch_size=128,
    average_rate=0.004,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    captioned=128,
    warmup_steps=2,
    images=256,
    test=128,
    workers=1,
)


def build(options, tokenizer):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.CLIP(
        options.size,
        backbones.TextTransformer.from_size(
            options.size,
            vocabulary_size=tokenizer.vocabulary_size(),
            sequence_length=tokenizer.sequence_length,
            num_layers=options.text_layers,
            name="text_encoder",
        ),
        tokenizer,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        projection_dim=options.projection_dim,
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
        model, steps = build(options, dry_run.tokenizer())
        return dry_run.report("clip_aug", model, steps, options)
    reward, tokenizer = sources.captioned(options)
    model, steps = build(options, tokenizer)

    def batches(start_step):
        return data.clip_aug_batches(
            reward,
            tokenizer,
            image_size=options.image_size,
            batch_size=options.reward_batch_size,
            area=(options.area_low, 1.0),
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "clip_aug",
        model,
        options,
        not options.reward,
        untrained=lambda: build(options, tokenizer)[0],
    )


if __name__ == "__main__":
    main()
