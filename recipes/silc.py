r"""SiLC: CLIP and DINO on one encoder.

    python -m recipes.silc --smoke
    python -m recipes.silc --small --seed 0 --json runs/silc-0.json
    python -m recipes.silc --reward cc12m/ --captions txt
    python -m recipes.silc --dry-run

Without a scale, the settings are the paper's (ViT-S/16, 800M views); small
trains on the built-in scenes on a CPU, smoke shows that everything runs.
"""

import dataclasses

import keras

from keras_ab import backbones
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

    text_layers: int = option(12, "layers of the text transformer")
    projection_dim: int = option(512, "space of images and texts (SLIP)")
    drop_path_rate: float = option(0.0, "none; texts share the ViT")
    num_prototypes: int = option(65_536, "K; DINO's code")
    head_dim: int = option(2048, "two hidden layers of the head; DINO's code")
    bottleneck_dim: int = option(256, "space of prototypes; DINO's code")
    start_temperature: float = option(
        0.04, "of the teacher; DINO's ViT-S recipe"
    )
    end_temperature: float = option(0.07, "of the teacher; DINO's ViT-S recipe")
    temperature_steps: int = option(
        37_534, "30 ImageNet epochs of 1024; DINO's ViT-S"
    )
    frozen_steps: int = option(
        1251, "last layer; an ImageNet epoch, DINO's code"
    )
    local_size: int = option(96, "side of a local crop; DINO")
    num_locals: int = option(8, "local crops of an image; Table 7")
    distillation_weight: float = option(1.0, "loss ratio; Table 7")
    reward_batch_size: int = option(4096, "captioned images; Table 7")
    crops_batch_size: int = option(512, "images, of ten views; Table 7")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(1060, "one CC12M epoch at 8192; Table 7")
    weight_decay: float = option(0.1, "of kernels, times the rate; Table 7")
    beta_2: float = option(0.98, "of AdamW; Table 7")
    target_rate: float = option(0.004, "EMA, constant; Table 7")
    reward: str = option("", "folder of captioned images; '' for scenes")
    captions: str = option("txt", "their captions: 'txt', or a csv or jsonl")
    captioned: int = option(2000, "built-in scenes that have captions")
    unlabelled: str = option("", "folder of images of views; '' for --reward's")
    output: str = option("runs/silc", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=12,
    views=1_024_000,
    text_layers=2,
    projection_dim=128,
    num_prototypes=1_024,
    head_dim=256,
    bottleneck_dim=64,
    start_temperature=0.02,
    end_temperature=0.02,
    temperature_steps=3_000,
    frozen_steps=100,
    local_size=24,
    reward_batch_size=64,
    crops_batch_size=8,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    captioned=128,
    num_prototypes=64,
    head_dim=32,
    bottleneck_dim=16,
    temperature_steps=4,
    frozen_steps=2,
    warmup_steps=2,
    images=256,
    test=128,
    workers=1,
)


def build(options, tokenizer):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.SiLC(
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
        drop_path_rate=options.drop_path_rate,
        num_prototypes=options.num_prototypes,
        head_dims=(options.head_dim, options.head_dim),
        bottleneck_dim=options.bottleneck_dim,
        teacher_temperature=schedules.linear(
            options.start_temperature,
            options.end_temperature,
            options.temperature_steps,
        ),
        freeze_last_layer_updates=options.frozen_steps,
        distillation_weight=options.distillation_weight,
        target_rate=options.target_rate,
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
        return dry_run.report("silc", model, steps, options)
    reward, images, tokenizer = sources.captioned_and_more(
        options, options.unlabelled
    )
    model, steps = build(options, tokenizer)

    def batches(start_step):
        return data.silc_batches(
            reward,
            tokenizer,
            images,
            image_size=options.image_size,
            local_size=options.local_size,
            num_locals=options.num_locals,
            batch_size=options.reward_batch_size,
            crops_batch_size=options.crops_batch_size,
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "silc",
        model,
        options,
        not options.reward,
        untrained=lambda: build(options, tokenizer)[0],
    )


if __name__ == "__main__":
    main()
