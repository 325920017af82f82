"""What the built-in scenes give away, and what they hide.

    python -m benchmarks.scenes --json runs/scenes.json

Four figures: how fast scenes are painted on one core; how well the class of
the main object is told from colours alone (a histogram) and from small pixels
(24 x 24), by logistic regression; and the ceiling of value learning: how well
the class of an object outside of a crop is told from the true set of objects
inside it (naive Bayes), beside what its frequency alone tells.
"""

import time

import numpy as np
from PIL import Image

from benchmarks import cli
from keras_ab import data
from keras_ab import probes
from keras_ab.data import scenes

CLASSES = len(scenes.CLASSES)


def histogram(image):
    """Counts of 8 x 8 x 8 colours."""
    bins = (image // 32).reshape(-1, 3).astype(int)
    index = bins @ np.array([64, 8, 1])
    return np.bincount(index, minlength=512) / len(index)


def small_pixels(image):
    """The image at 24 x 24."""
    small = Image.fromarray(image).resize((24, 24), Image.Resampling.BOX)
    return np.asarray(small, "float32").ravel() / 255


def probe(feature, train, test, key="label"):
    """Accuracy of logistic regression on a feature, with its interval."""
    x, y = zip(*[(feature(r["image"]), r[key]) for r in train])
    held, truth = zip(*[(feature(r["image"]), r[key]) for r in test])
    hits = probes.linear_predict(np.stack(x), np.array(y), np.stack(held))
    hits = (hits == np.array(truth)).astype(float)
    return {
        "accuracy": hits.mean(),
        "interval": probes.bootstrap_interval(hits),
    }


def crop_pairs(count, seed):
    """Presence of classes inside a crop, and the class of one thing outside."""
    inside, outside = [], []
    rng = np.random.default_rng(seed)
    while len(outside) < count:
        layout = scenes.sample_layout(rng)
        area, ratio = rng.uniform(0.05, 0.5), np.exp(rng.uniform(-0.29, 0.29))
        height, width = np.sqrt(area / ratio), np.sqrt(area * ratio)
        y, x = rng.random() * (1 - height), rng.random() * (1 - width)
        seen, hidden = np.zeros(CLASSES), []
        for thing in layout.things:
            within = y <= thing.y <= y + height and x <= thing.x <= x + width
            if within:
                seen[thing.index] = 1
            elif 0 <= thing.y <= 1 and 0 <= thing.x <= 1:
                hidden.append(thing.index)
        if hidden:
            inside.append(seen)
            outside.append(hidden[int(rng.integers(len(hidden)))])
    return np.array(inside), np.array(outside)


def ceiling(train=20_000, test=5_000):
    """Accuracy on unseen objects, given the true visible ones."""
    seen, target = crop_pairs(train, seed=1)
    counts = np.zeros((CLASSES, CLASSES))
    np.add.at(counts, target, seen)
    totals = np.bincount(target, minlength=CLASSES)
    chance = (counts + 0.5) / (totals[:, None] + 1)
    prior = np.log((totals + 1) / totals.sum())
    seen, truth = crop_pairs(test, seed=2)
    scores = seen @ np.log(chance).T + (1 - seen) @ np.log(1 - chance).T
    hits = (scores + prior).argmax(1) == truth
    return {
        "accuracy": hits.mean(),
        "interval": probes.bootstrap_interval(hits),
        "most_frequent": (truth == totals.argmax()).mean(),
        "chance": 1 / CLASSES,
    }


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--train", type=int, default=4000)
    parser.add_argument("--test", type=int, default=1000)
    options = parser.parse_args(argv)
    source = data.Scenes(size=options.train)
    source[0]
    started = time.process_time()
    train = [source[i] for i in range(options.train)]
    rate = options.train / (time.process_time() - started)
    held = data.Scenes(size=options.test, split="test")
    test = [held[i] for i in range(options.test)]
    labels = np.bincount([r["label"] for r in test], minlength=CLASSES)
    results = {
        "scenes_per_cpu_second": rate,
        "most_frequent_label": labels.max() / options.test,
        "colour_histogram": probe(histogram, train, test),
        "small_pixels": probe(small_pixels, train, test),
        "unseen_object_given_visible_ones": ceiling(),
    }
    print(cli.text(results))
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
