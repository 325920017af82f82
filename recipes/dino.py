r"""DINO: self-distillation on global and local crops.

    python -m recipes.dino --smoke
    python -m recipes.dino --small --seed 0 --json runs/dino-0.json
    python -m recipes.dino --source imagenet/
    python -m recipes.dino --dry-run

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

    drop_path_rate: float = option(0.1, "of the student's ViT; DINO's code")
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
    crops_batch_size: int = option(1024, "images, of ten views; Table 7")
    overlap: float = option(0.0, "beta of the global crops' overlap; F4")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(12_512, "ten ImageNet epochs of 1024; Table 7")
    weight_decay: float = option(0.04, "at the start, of kernels; Table 7")
    end_weight_decay: float = option(0.4, "at the end of a cosine; Table 7")
    beta_2: float = option(0.999, "of AdamW; its default")
    end_learning_rate: float = option(1e-06, "of the cosine; DINO's code")
    clip_norm: float = option(1.0, "of all gradients together; Table 7")
    target_rate: float = option(0.004, "EMA at the start; Table 7")
    end_target_rate: float = option(0.0, "EMA at the end of a cosine; Table 7")
    source: str = option("", "folder of images; '' for scenes")
    output: str = option("runs/dino", "folder of the run")


GLOBAL_AREA = (0.4, 1.0)  # of an image, a global crop; Table 7
PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=12,
    views=1_024_000,
    num_prototypes=1_024,
    head_dim=256,
    bottleneck_dim=64,
    start_temperature=0.02,
    end_temperature=0.02,
    temperature_steps=3_000,
    frozen_steps=100,
    local_size=24,
    num_locals=0,
    crops_batch_size=64,
    learning_rate=0.0005,
    warmup_steps=400,
    target_rate=0.01,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    num_locals=8,
    crops_batch_size=16,
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


def build(options):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.DINO(
        options.size,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
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
        target_rate=schedules.cosine(
            options.target_rate, options.end_target_rate, steps
        ),
    )
    model.compile(
        optimizers.adamw(options, global_clipnorm=options.clip_norm),
        encoder_passes=options.encoder_passes,
    )
    return model, steps


def main(argv=None):
    options = parse(
        {"paper": PAPER, "small": SMALL, "smoke": SMOKE}, __doc__, argv
    )
    if options.dry_run or options.plan:
        model, steps = build(options)
        return dry_run.report("dino", model, steps, options)
    source = sources.unlabelled(options.source, options)
    model, steps = build(options)

    def batches(start_step):
        return data.dino_batches(
            source,
            image_size=options.image_size,
            global_area=GLOBAL_AREA,
            local_size=options.local_size,
            num_locals=options.num_locals,
            batch_size=options.crops_batch_size,
            sample=data.OverlapSampler(options.overlap, GLOBAL_AREA)
            if options.overlap
            else None,
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "dino",
        model,
        options,
        not options.source,
        untrained=lambda: build(options)[0],
    )


if __name__ == "__main__":
    main()
