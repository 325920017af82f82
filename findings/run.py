"""A training run and how it is measured, as a key of the cache."""

import dataclasses
import hashlib
import json

import keras_ab
from keras_ab.probes.results import PROTOCOL

SCENES = ("classification", "count", "depth")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a recipe.

    Args:
        recipe: String, a module of `recipes`.
        seed: Int.
        options: Tuple of pairs of strings, what differs from the recipe's
            small scale, sorted.
        tasks: Tuple of `TASK` or `TASK=DATA`, as `keras_ab.probes` takes
            them.
        collect: Bool, whether the run looks inside itself.
    """

    recipe: str
    seed: int = 0
    options: tuple = ()
    tasks: tuple = SCENES
    collect: bool = False

    def with_options(self, **options):
        """The same run with other options.

        Args:
            **options: By name, with underscores.

        Returns:
            A `Run`.
        """
        merged = {**dict(self.options), **options}
        pairs = sorted((k, str(v)) for k, v in merged.items())
        return dataclasses.replace(self, options=tuple(pairs))

    def seeded(self, seed):
        """The same run with another seed.

        Args:
            seed: Int.

        Returns:
            A `Run`.
        """
        return dataclasses.replace(self, seed=seed)

    @property
    def title(self):
        """String, what people call it."""
        said = " ".join(f"{k}={v}" for k, v in self.options)
        return " ".join(filter(None, [self.recipe, said, f"seed {self.seed}"]))


def run(recipe, tasks=SCENES, collect=False, **options):
    """A run of seed 0, from keyword options.

    Args:
        recipe: String, a module of `recipes`.
        tasks: As in `Run`.
        collect: As in `Run`.
        **options: The recipe's options, with underscores.

    Returns:
        A `Run`.
    """
    return Run(recipe, 0, (), tuple(tasks), collect).with_options(**options)


@dataclasses.dataclass(frozen=True)
class Budget:
    """How much a comparison costs, the same for all of its runs.

    Args:
        name: String.
        scale: The recipes' scale, `"small"` or `"smoke"`.
        views: Int, views of a run; 0 for those of the scale.
        train: Int, records that probes learn from.
        test: Int, records that they are tested on.
        probes: Tuple of names of probes.
        looks: Int, looks inside a run that collects.
        decoder: Tuple of pairs, settings of the decoder probe that are not
            its own.
        images: Int, pictures that a run trains on; 0 for the scale's.
        scenes: String, `MODULE:NAME` of what makes other scenes than the
            built-in ones, for which it is `''`.
    """

    name: str
    scale: str = "small"
    views: int = 512_000
    train: int = 3000
    test: int = 2000
    probes: tuple = ("linear", "map", "decoder")
    looks: int = 20
    decoder: tuple = ()
    images: int = 0
    scenes: str = ""

    @property
    def pictures(self):
        """Int, pictures that a run trains on."""
        return self.images or {"small": 20_000, "smoke": 256}[self.scale]


# The probe's own size is that of the paper's encoders: on one of 64 numbers it
# takes longer than the training.
FULL = Budget(
    "full",
    decoder=(("hidden_dim", 128), ("num_layers", 2), ("num_heads", 4)),
)
QUICK = Budget("quick", views=256_000, probes=("linear", "map"), looks=10)
SMOKE = Budget(
    "smoke",
    scale="smoke",
    views=0,
    train=60,
    test=40,
    probes=("linear", "map"),
    looks=2,
)
BUDGETS = {budget.name: budget for budget in (FULL, QUICK, SMOKE)}


def training_key(run, budget):
    """What a training's folder is called.

    Args:
        run: A `Run`; how it is measured does not matter.
        budget: A `Budget`, of which views, scale, pictures and scenes
            matter, and looks where the run collects.

    Returns:
        String, readable and unique.
    """
    said = {
        "version": keras_ab.__version__,
        "recipe": run.recipe,
        "seed": run.seed,
        "options": run.options,
        "scale": budget.scale,
        "views": budget.views,
        "images": budget.images,
        "looks": budget.looks if run.collect else 0,
    }
    return f"{run.recipe}-{run.seed}-{_digest(said, budget)}"


def report_key(run, budget):
    """What a measurement's file is called, in the folder of its training.

    Args:
        run: A `Run`.
        budget: A `Budget`.

    Returns:
        String.
    """
    said = {
        "protocol": PROTOCOL,
        "tasks": sorted(run.tasks),
        "train": budget.train,
        "test": budget.test,
        "probes": budget.probes,
        "decoder": budget.decoder,
    }
    return f"report-{_digest(said, budget)}"


def _digest(said, budget):
    # Runs on the built-in scenes are called as they always were.
    if budget.scenes:
        said = {**said, "scenes": budget.scenes}
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def trainings(runs):
    """Runs by their training: what differs only in tasks or looks is one.

    Args:
        runs: Iterable of `Run`s.

    Returns:
        List of lists of `Run`s, each once, which collect if any of their list
        does. A training is measured by each of its lists of tasks apart: the
        decoder learns the tasks of a list together, so that figures of
        different lists do not compare.
    """
    found = {}
    for one in runs:
        found.setdefault((one.recipe, one.seed, one.options), []).append(one)
    return [
        list(
            dict.fromkeys(
                dataclasses.replace(one, collect=any(r.collect for r in group))
                for one in group
            )
        )
        for group in found.values()
    ]
