r"""ABDINO: annotation bootstrapping with prototypes as annotations.

    python -m recipes.ab_dino --smoke
    python -m recipes.ab_dino --small --seed 0 --json runs/ab_dino-0.json
    python -m recipes.ab_dino --reward imagenet/ --value coco/
    python -m recipes.ab_dino --dry-run

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

    decoder: str = option("S", "width of the annotation decoder; A.2")
    decoder_layers: int = option(4, "layers of the annotation decoder; A.2")
    projection_dim: int = option(256, "space of the values' prototypes")
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
    base_batch_size: int = option(1024, "images of the base's batch; Table 7")
    split: str = option(
        "half",
        "half the base's views for each batch, or base // 8 images for both",
        choices=("half", "paper_text"),
    )
    num_views: int = option(4, "crops of an unlabelled image; Table 7")
    gamma: float = option(0.5, "discount; A.2")
    value_weight: float = option(1.0, "loss ratio; Table 7")
    value_area_low: float = option(0.05, "smallest unlabelled crop; Table 7")
    value_area_high: float = option(0.5, "largest unlabelled crop; Table 7")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(12_512, "ten ImageNet epochs of 1024; Table 7")
    weight_decay: float = option(0.04, "at the start, of kernels; Table 7")
    end_weight_decay: float = option(0.4, "at the end of a cosine; Table 7")
    beta_2: float = option(0.999, "of AdamW; its default")
    end_learning_rate: float = option(1e-06, "of the cosine; DINO's code")
    clip_norm: float = option(1.0, "of all gradients together; Table 7")
    target_rate: float = option(0.004, "EMA at the start; Table 7")
    end_target_rate: float = option(0.0, "EMA at the end of a cosine; Table 7")
    overlap: float = option(0.0, "beta of the unlabelled crops' overlap; F4")
    reward: str = option("", "folder of images; '' for scenes")
    value: str = option("", "folder of unlabelled images; '' for --reward's")
    output: str = option("runs/ab_dino", "folder of the run")

    @property
    def crops_batch_size(self):
        """Images of the reward's batch."""
        return self.base_batch_size // (2 if self.split == "half" else 8)

    @property
    def value_batch_size(self):
        """Unlabelled images."""
        if self.split == "paper_text":
            return self.base_batch_size // 8
        base_views = self.base_batch_size * (2 + self.num_locals)
        return base_views // 2 // self.num_views


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    image_size=48,
    patch_size=12,
    views=1_024_000,
    decoder="tiny",
    decoder_layers=2,
    projection_dim=128,
    num_prototypes=1_024,
    head_dim=256,
    bottleneck_dim=64,
    start_temperature=0.02,
    end_temperature=0.02,
    temperature_steps=3_000,
    frozen_steps=100,
    local_size=24,
    num_locals=0,
    base_batch_size=64,
    learning_rate=0.0005,
    warmup_steps=400,
    target_rate=0.01,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    decoder="test",
    num_locals=8,
    base_batch_size=16,
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
    model = models.ABDINO(
        options.size,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        decoder=backbones.AnnotationDecoder.from_size(
            options.decoder, num_layers=options.decoder_layers, name="decoder"
        ),
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
        gamma=options.gamma,
        value_weight=options.value_weight,
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
        return dry_run.report("abdino", model, steps, options)
    reward = sources.unlabelled(options.reward, options)
    value = reward
    if options.value:
        value = sources.unlabelled(options.value, options)
    model, steps = build(options)
    area = (options.value_area_low, options.value_area_high)

    def batches(start_step):
        # Lanes of their own, so that the two are drawn independently.
        first = data.dino_batches(
            reward,
            image_size=options.image_size,
            local_size=options.local_size,
            num_locals=options.num_locals,
            batch_size=options.crops_batch_size,
            seed=options.seed,
            start_step=start_step,
        )
        second = data.value_batches(
            value,
            image_size=options.image_size,
            batch_size=options.value_batch_size,
            num_views=options.num_views,
            area=area,
            sample=data.OverlapSampler(options.overlap, area)
            if options.overlap
            else None,
            seed=options.seed,
            start_step=start_step,
        )
        return data.merge(first, second)

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "abdino",
        model,
        options,
        not options.reward,
        untrained=lambda: build(options)[0],
    )


if __name__ == "__main__":
    main()
