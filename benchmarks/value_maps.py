r"""Do the value maps of a shipped ABCLIP point at what was named?

    python -m benchmarks.value_maps --json benchmarks/results/value_maps.json

Of each of 1,000 held-out scenes one object is named, and the box around it is
ranked by Q among 64 boxes of its size around objects of other scenes. The
figure is the mean share of boxes that Q prefers to it, with its bootstrap
interval: 0 if the map always points at the object, 0.5 by chance. Controls:
the same with the caption of another kind of object, of another colour, and of
both, and with the network before training.

And of crops of these scenes: which of two equally large boxes shows a named
object, where the crop itself shows it (at least three tenths) and where not;
beside chance (0.5, actions of other crops) and the reward, shown both boxes.
"""

import numpy as np

import keras_ab
from benchmarks import cli
from keras_ab import analysis
from keras_ab import data
from keras_ab import probes
from keras_ab.data import scenes


def misnamed(kind=True, colour=True, seed=0):
    """A description of an object of another kind, another colour, or both."""
    rng = np.random.default_rng(seed)

    def other(count, changed):
        order = rng.permutation(count)
        return dict(zip(order, np.roll(order, int(changed))))

    kinds = other(len(scenes.CLASSES), kind)
    colours = other(len(scenes.COLOURS), colour)
    return lambda kind, colour: scenes.describe(kinds[kind], colours[colour])


def summary(ranks):
    """Mean and interval of ranks."""
    return {
        "mean_rank": float(ranks.mean()),
        "interval": list(probes.bootstrap_interval(ranks)),
        "objects": len(ranks),
    }


def forced_choice(model, held_out):
    """Which of two ways shows the object, and what the reward says of both."""
    queries = probes.forced_choice_queries(
        held_out, scenes.describe, count=len(held_out)
    )
    hits = {
        "value": probes.forced_choice(model, queries),
        "shuffled_actions": probes.forced_choice(model, queries.shuffled()),
        "reward_shown_both": probes.forced_choice_ceiling(model, queries),
    }
    return {
        sight: {
            "queries": int(rows.sum()),
            **{
                name: {
                    "share": float(found[rows].mean()),
                    "interval": list(probes.bootstrap_interval(found[rows])),
                }
                for name, found in hits.items()
            },
        }
        for sight, rows in (
            ("seen", queries.seen),
            ("unseen", ~queries.seen),
        )
    }


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--preset", default="abclip_tiny_scenes")
    parser.add_argument("--scenes", type=int, default=1000)
    options = parser.parse_args(argv)
    model = keras_ab.presets.load(options.preset)
    # The seed and the share that no training sees.
    held_out = data.Scenes(size=options.scenes, seed=1_000_003, split="test")
    results = {"preset": options.preset, "chance": 0.5}
    for name, network, describe in (
        ("named", model, scenes.describe),
        ("misnamed", model, misnamed()),
        ("another_kind", model, misnamed(colour=False)),
        ("another_colour", model, misnamed(kind=False)),
        (
            "untrained",
            keras_ab.presets.load(options.preset, load_weights=False),
            scenes.describe,
        ),
    ):
        results[name] = summary(
            analysis.value_ranks(
                network, held_out, describe, count=options.scenes
            )
        )
        print(name, results[name], flush=True)
    results["forced_choice"] = forced_choice(model, held_out)
    print("forced_choice", results["forced_choice"], flush=True)
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
