r"""What frozen features and a linear probe cost, against a bare forward pass.

    python -m benchmarks.probes --json runs/probes.json

Each round does everything once, one thing after another, so that what else
runs on the machine slows all of it. Figures are medians over rounds of the
ratios within a round, by wall time and by the processor time of all threads,
which other processes disturb less:

- `features_vs_bare`: `FrozenEncoder.pooled` of pixels over the encoder's own
  compiled forward pass of the same images, as floats that are scaled already;
- `source_vs_bare`: `source_features`, which reads the images of a source;
- `eight_vs_one`: a linear probe over eight learning rates over one of one
  rate, both from images to predictions, features included.
"""

import statistics
import time

import keras
import numpy as np

import keras_ab
from benchmarks import cli
from keras_ab import probes

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def bare_pass(vit):
    """A compiled function of float images, in the backend's own way."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda x: vit(x, training=False))
    if backend == "torch":
        import torch

        def call(x):
            with torch.no_grad():
                return vit(torch.from_numpy(x), training=False)

        return call
    import jax

    weights = [
        [v.value for v in variables]
        for variables in (vit.trainable_variables, vit.non_trainable_variables)
    ]
    step = jax.jit(lambda w, x: vit.stateless_call(*w, x, training=False)[0])
    return lambda x: step(weights, x)


class Contest:
    """An encoder, images and labels, and what is to be timed on them.

    Args:
        options: What the command was given.
    """

    def __init__(self, options):
        keras.utils.set_random_seed(0)
        side, patch = options.image_size, options.patch_size
        vit = keras_ab.backbones.ViT.from_size(
            options.size, image_shape=(side, side, 3), patch_size=patch
        )
        vit.build()
        self.batch_size = options.batch_size
        self.encoder = probes.FrozenEncoder(vit)
        self.source = keras_ab.data.Scenes(size=options.images).cache()
        found = probes.source_features(self.encoder, self.source, "images")
        self.images = found.values
        self.floats = self.encoder.scaled(found.values)
        records = [self.source.annotations(i) for i in range(options.images)]
        self.labels = np.array([record["label"] for record in records])
        self._bare = bare_pass(vit)

    def bare(self):
        """Outputs of all images, which are scaled already."""
        for start in range(0, len(self.floats), self.batch_size):
            part = self.floats[start : start + self.batch_size]
            np.asarray(self._bare(part))

    def features(self):
        return self.encoder.pooled(self.images, self.batch_size)

    def from_source(self):
        probes.source_features(
            self.encoder, self.source, batch_size=self.batch_size
        )

    def linear(self, rates):
        features = self.features()
        probe = probes.LinearProbe(rates, strengths=(1.0,))
        probe.fit(features, self.labels).predict(features)

    def parts(self):
        """What a round does, by name."""
        return {
            "bare": self.bare,
            "features": self.features,
            "source": self.from_source,
            "one": lambda: self.linear(RATES[4:5]),
            "eight": lambda: self.linear(RATES),
        }


RATIOS = {
    "features_vs_bare": ("features", "bare"),
    "source_vs_bare": ("source", "bare"),
    "eight_vs_one": ("eight", "one"),
}


def measure(options):
    """Times of all parts in all rounds, and their ratios.

    Args:
        options: What the command was given.

    Returns:
        Dict for JSON.
    """
    contest = Contest(options)
    parts = contest.parts()
    contest.bare()
    contest.features()
    rounds = []
    for _ in range(options.rounds):
        taken = {}
        for name, part in parts.items():
            starts = {clock: now() for clock, now in CLOCKS.items()}
            part()
            taken[name] = {
                clock: now() - starts[clock] for clock, now in CLOCKS.items()
            }
        rounds.append(taken)
    results = {
        "backend": keras.backend.backend(),
        "encoder": f"{options.size}/{options.patch_size}",
        "image_size": options.image_size,
        "images": options.images,
        "machine": probes.results.machine(),
        "images_per_second": options.images
        / statistics.median(r["features"]["wall"] for r in rounds),
    }
    for name, (over, under) in RATIOS.items():
        results[name] = {
            clock: statistics.median(
                r[over][clock] / r[under][clock] for r in rounds
            )
            for clock in CLOCKS
        }
    return {**results, "rounds": rounds}


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--size", default="tiny", help="of the ViT")
    parser.add_argument("--image-size", type=int, default=48)
    parser.add_argument("--patch-size", type=int, default=12)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(argv)
    results = measure(options)
    print(
        f"{results['backend']}, ViT {results['encoder']} at "
        f"{options.image_size} pixels: {results['images_per_second']:.0f} "
        "images a second"
    )
    for name in RATIOS:
        ratio = results[name]
        print(f"{name}: {ratio['wall']:.2f} (processor {ratio['cpu']:.2f})")
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
