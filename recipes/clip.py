r"""CLIP: image-text contrast alone, the base of ABCLIP.

    python -m recipes.clip --smoke
    python -m recipes.clip --small --seed 0 --json runs/clip-0.json
    python -m recipes.clip --reward cc12m/ --captions txt

Without a scale, the settings are the paper's (ViT-S/16, 800M views); small
trains on the built-in scenes on a CPU, smoke shows that everything runs.
"""

import dataclasses

import keras

from keras_ab import backbones
from keras_ab import data
from keras_ab import models
from keras_ab import schedules
from recipes import dry_run
from recipes import evaluation
from recipes import runs
from recipes import sources
from recipes.options import RunOptions
from recipes.options import option
from recipes.options import parse


@dataclasses.dataclass(frozen=True)
class Options(RunOptions):
    """Settings of the recipe; the defaults are the paper's (Table 7)."""

    text_layers: int = option(12, "layers of the text transformer")
    projection_dim: int = option(512, "size of the shared spaces (SLIP)")
    reward_batch_size: int = option(8192, "captioned images; Table 7")
    learning_rate: float = option(1e-3, "peak, AdamW; Table 7")
    warmup_steps: int = option(1060, "one CC12M epoch at 8192; Table 7")
    weight_decay: float = option(0.1, "of kernels, times the rate; Table 7")
    beta_2: float = option(0.98, "of AdamW; Table 7")
    average_rate: float = option(0.0, "EMA of the weights; 0 for none")
    reward_weight: float = option(1.0, "both directions averaged (CLIP)")
    reward: str = option("", "folder of captioned images; '' for scenes")
    captions: str = option("txt", "their captions: 'txt', or a csv or jsonl")
    captioned: int = option(2_000, "built-in scenes that have captions")
    output: str = option("runs/clip", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    text_layers=2,
    image_size=48,
    patch_size=12,
    projection_dim=128,
    views=1_024_000,
    reward_batch_size=128,
    average_rate=0.004,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    reward_batch_size=128,
    warmup_steps=2,
    images=256,
    captioned=128,
    test=128,
    workers=1,
)


def build(options, tokenizer):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
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
        reward_weight=options.reward_weight,
        target_rate=options.average_rate or None,
    )
    steps = options.views // options.reward_batch_size
    model.compile(
        keras.optimizers.AdamW(
            schedules.linear_warmup_cosine(
                options.learning_rate, steps, options.warmup_steps
            ),
            weight_decay=options.weight_decay,
            beta_2=options.beta_2,
            epsilon=1e-8,
        ),
        encoder_passes=options.encoder_passes,
    )
    return model, steps


def main(argv=None):
    options = parse(
        {"paper": PAPER, "small": SMALL, "smoke": SMOKE}, __doc__, argv
    )
    if options.dry_run or options.plan:
        model, steps = build(options, dry_run.tokenizer())
        return dry_run.report("clip", model, steps, options)
    reward, tokenizer = sources.captioned(options)
    model, steps = build(options, tokenizer)

    def batches(start_step):
        return data.reward_batches(
            reward,
            tokenizer,
            image_size=options.image_size,
            batch_size=options.reward_batch_size,
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, options.reward_batch_size, options)
    evaluation.finish(
        "clip",
        model,
        options,
        not options.reward,
        untrained=lambda: build(options, tokenizer)[0],
    )


if __name__ == "__main__":
    main()
