r"""ABSimCLR: annotation bootstrapping with views as annotations.

    python -m recipes.ab_simclr --smoke
    python -m recipes.ab_simclr --small --seed 0 --json runs/ab_simclr-0.json
    python -m recipes.ab_simclr --reward imagenet/ --value coco/
    python -m recipes.ab_simclr --dry-run

Without a scale, the settings are the paper's (ViT-S/16, 800M views); small
trains on the built-in scenes on a CPU, smoke shows that everything runs.
"""

import dataclasses

import keras

from keras_ab import actions
from keras_ab import backbones
from keras_ab import data
from keras_ab import models
from keras_ab import schedules
from keras_ab.data import augmentations
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
    projection_dim: int = option(256, "space of views (SLIP)")
    value_projection_dim: int = option(
        512, "space of the value function (SLIP)"
    )
    head_dim: int = option(4096, "two hidden layers of the heads (SLIP)")
    temperature: float = option(0.1, "of the contrast (SimCLR)")
    base_batch_size: int = option(4096, "images of the base's batch; Table 7")
    split: str = option(
        "half",
        "half the base's views for each batch, or base // 8 images for both",
        choices=("half", "paper_text"),
    )
    num_views: int = option(4, "crops of an unlabelled image; Table 7")
    gamma: float = option(0.5, "discount; A.2")
    reward_weight: float = option(1.0, "0 leaves L_reward out; Table 5")
    value_weight: float = option(1.0, "loss ratio; 0 leaves it out; Table 5")
    tell_actions: bool = option(True, "no hides the actions; Table 5")
    lag: bool = option(True, "no takes targets of online weights; Table 5")
    augment_value: bool = option(False, "SimCLR's colours there too; Table 5")
    value_area_low: float = option(0.05, "smallest unlabelled crop; Table 7")
    value_area_high: float = option(0.5, "largest unlabelled crop; Table 7")
    learning_rate: float = option(0.001, "peak, AdamW; Table 7")
    warmup_steps: int = option(3128, "ten ImageNet epochs of 4096; Table 7")
    weight_decay: float = option(0.04, "at the start, of kernels; Table 7")
    end_weight_decay: float = option(0.4, "at the end of a cosine; Table 7")
    beta_2: float = option(0.999, "of AdamW; its default")
    target_rate: float = option(0.004, "EMA at the start; Table 7")
    end_target_rate: float = option(0.0, "EMA at the end of a cosine; Table 7")
    reward: str = option("", "folder of images; '' for scenes")
    value: str = option("", "folder of unlabelled images; '' for --reward's")
    output: str = option("runs/ab_simclr", "folder of the run")

    @property
    def views_batch_size(self):
        """Images of the reward's batch."""
        return self.base_batch_size // (2 if self.split == "half" else 8)

    @property
    def value_batch_size(self):
        """Unlabelled images."""
        if self.split == "paper_text":
            return self.base_batch_size // 8
        # Half of two views of each of the base's images.
        return self.base_batch_size // self.num_views


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
    value_projection_dim=128,
    head_dim=256,
    base_batch_size=64,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    views=1_024,
    decoder="test",
    warmup_steps=2,
    images=256,
    test=128,
    workers=1,
)


def build(options):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    steps = budget.steps(options)
    model = models.ABSimCLR(
        options.size,
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        decoder=backbones.AnnotationDecoder.from_size(
            options.decoder, num_layers=options.decoder_layers, name="decoder"
        ),
        projection_dim=options.projection_dim,
        value_projection_dim=options.value_projection_dim,
        hidden_dims=(options.head_dim, options.head_dim),
        temperature=options.temperature,
        gamma=options.gamma,
        reward_weight=options.reward_weight,
        value_weight=options.value_weight,
        actions=None if options.tell_actions else actions.MaskedActions(),
        target_rate=schedules.cosine(
            options.target_rate, options.end_target_rate, steps
        )
        if options.lag
        else None,
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
        return dry_run.report("absimclr", model, steps, options)
    reward = sources.unlabelled(options.reward, options)
    value = reward
    if options.value:
        value = sources.unlabelled(options.value, options)
    model, steps = build(options)
    colours = None
    if options.augment_value:
        # SimCLR's, less flips, which boxes would not follow, and blur.
        colours = augmentations.Augmentation(
            jitter=0.8,
            brightness=0.8,
            contrast=0.8,
            saturation=0.8,
            hue=0.2,
            grayscale=0.2,
        )

    def batches(start_step):
        # Lanes of their own, so that the two are drawn independently.
        first = data.simclr_batches(
            reward,
            image_size=options.image_size,
            batch_size=options.views_batch_size,
            seed=options.seed,
            start_step=start_step,
        )
        second = data.value_batches(
            value,
            image_size=options.image_size,
            batch_size=options.value_batch_size,
            num_views=options.num_views,
            area=(options.value_area_low, options.value_area_high),
            augmentation=colours,
            seed=options.seed,
            start_step=start_step,
        )
        return data.merge(first, second)

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "absimclr",
        model,
        options,
        not options.reward,
        untrained=lambda: build(options)[0],
    )


if __name__ == "__main__":
    main()
