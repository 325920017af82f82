r"""ABCLIP: annotation bootstrapping with captions as annotations.

    python -m recipes.ab_clip --smoke
    python -m recipes.ab_clip --small --seed 0 --json runs/ab_clip-0.json
    python -m recipes.ab_clip --reward cc12m/ --captions txt --value cc12m/

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
from recipes import runs
from recipes import sources
from recipes.options import RunOptions
from recipes.options import option
from recipes.options import parse


@dataclasses.dataclass(frozen=True)
class Options(RunOptions):
    """Settings of the recipe; the defaults are the paper's (Table 7)."""

    text_layers: int = option(12, "layers of the text transformer")
    decoder: str = option("S", "width of the annotation decoder; A.2")
    decoder_layers: int = option(4, "layers of the annotation decoder; A.2")
    projection_dim: int = option(512, "size of the shared spaces (SLIP)")
    reward_batch_size: int = option(4096, "captioned images; half the views")
    value_batch_size: int = option(1024, "unlabelled images; half the views")
    num_views: int = option(4, "crops of an unlabelled image; Table 7")
    learning_rate: float = option(1e-3, "peak, AdamW; Table 7")
    warmup_steps: int = option(1060, "one CC12M epoch at 8192; Table 7")
    weight_decay: float = option(0.1, "of kernels, times the rate; Table 7")
    beta_2: float = option(0.98, "of AdamW; Table 7")
    gamma: float = option(0.5, "discount; A.2")
    target_rate: float = option(0.004, "EMA of the target network; Table 7")
    reward_weight: float = option(2.0, "both directions summed; Algorithm 2")
    value_weight: float = option(1.0, "loss ratio; Table 7")
    value_bias: float = option(0.0, "start of the value's bias; 0 for -ln L")
    value_area_low: float = option(0.05, "smallest unlabelled crop; Table 7")
    value_area_high: float = option(0.5, "largest unlabelled crop; Table 7")
    reward: str = option("", "folder of captioned images; '' for scenes")
    captions: str = option("txt", "their captions: 'txt', or a csv or jsonl")
    value: str = option("", "folder of unlabelled images; '' for --reward's")
    captioned: int = option(2_000, "built-in scenes that have captions")
    output: str = option("runs/ab_clip", "folder of the run")


PAPER = Options()
SMALL = dataclasses.replace(
    PAPER,
    size="tiny",
    text_layers=2,
    decoder="tiny",
    decoder_layers=2,
    image_size=48,
    patch_size=12,
    projection_dim=128,
    views=1_024_000,
    reward_batch_size=64,
    value_batch_size=16,
    warmup_steps=400,
)
SMOKE = dataclasses.replace(
    SMALL,
    size="test",
    decoder="test",
    views=1_024,
    reward_batch_size=64,
    value_batch_size=16,
    warmup_steps=2,
    images=256,
    captioned=128,
    test=128,
    workers=1,
)


def build(options, tokenizer):
    """The model, compiled for a number of updates; and that number."""
    keras.utils.set_random_seed(options.seed)
    model = models.ABCLIP(
        options.size,
        backbones.TextTransformer.from_size(
            options.size,
            vocabulary_size=tokenizer.vocabulary_size(),
            sequence_length=tokenizer.sequence_length,
            num_layers=options.text_layers,
            name="text_encoder",
        ),
        tokenizer,
        decoder=backbones.AnnotationDecoder.from_size(
            options.decoder, num_layers=options.decoder_layers, name="decoder"
        ),
        image_shape=(options.image_size, options.image_size, 3),
        patch_size=options.patch_size,
        projection_dim=options.projection_dim,
        gamma=options.gamma,
        reward_weight=options.reward_weight,
        value_weight=options.value_weight,
        value_bias=options.value_bias or None,
        target_rate=options.target_rate,
    )
    steps = options.views // budget.views_per_step(options)
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
        return dry_run.report("abclip", model, steps, options)
    reward, value, tokenizer = sources.captioned_and_more(
        options, options.value
    )
    model, steps = build(options, tokenizer)

    def batches(start_step):
        return data.bootstrap_batches(
            reward,
            value,
            tokenizer,
            image_size=options.image_size,
            reward_batch_size=options.reward_batch_size,
            value_batch_size=options.value_batch_size,
            num_views=options.num_views,
            value_area=(options.value_area_low, options.value_area_high),
            seed=options.seed,
            start_step=start_step,
        )

    runs.fit(model, batches, steps, budget.views_per_step(options), options)
    evaluation.finish(
        "abclip",
        model,
        options,
        not options.reward,
        untrained=lambda: build(options, tokenizer)[0],
    )


if __name__ == "__main__":
    main()
