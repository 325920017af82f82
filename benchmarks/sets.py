"""What the built-in objects and clips give away, and what they hide.

    python -m benchmarks.sets --json runs/sets.json

For each: how many pictures are painted in a second on one core; and how well
the label, and the verb of a clip's middle frame, are told by logistic
regression from colours alone (a histogram) and from small pixels (24 x 24),
beside chance and the most frequent answer. A verb is also guessed from the
true noun alone, as the most frequent one with that noun.
"""

import time

import numpy as np

from benchmarks import cli
from benchmarks.scenes import histogram
from benchmarks.scenes import probe
from benchmarks.scenes import small_pixels
from keras_ab import data


def read(source):
    """All records, and how many were painted in a CPU second."""
    source[0]
    started = time.process_time()
    records = [source[i] for i in range(len(source))]
    return records, len(records) / (time.process_time() - started)


def told(train, test, key, number):
    """What can be told about a field of the records."""
    counts = np.bincount([r[key] for r in train], minlength=number)
    likely = counts.argmax()
    return {
        "chance": 1 / number,
        "most_frequent": np.mean([r[key] == likely for r in test]),
        "colour_histogram": probe(histogram, train, test, key),
        "small_pixels": probe(small_pixels, train, test, key),
    }


def from_noun(train, test, nouns, verbs):
    """Accuracy of the most frequent verb with each noun."""
    counts = np.zeros((nouns, verbs))
    for record in train:
        counts[record["noun"], record["verb"]] += 1
    likely = counts.argmax(1)
    return np.mean([likely[r["noun"]] == r["verb"] for r in test])


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--train", type=int, default=4000)
    parser.add_argument("--test", type=int, default=1000)
    options = parser.parse_args(argv)
    train, rate = read(data.Objects(size=options.train))
    test, _ = read(data.Objects(size=options.test, split="test"))
    nouns = len(data.Objects.class_names)
    objects = {
        "pictures_per_cpu_second": rate,
        "label": told(train, test, "label", nouns),
    }
    train, rate = read(data.Video(clips=options.train).middle_frames())
    test, _ = read(data.Video(clips=options.test, split="test").middle_frames())
    verbs = len(data.Video.verb_names)
    video = {
        "pictures_per_cpu_second": rate,
        "noun": told(train, test, "noun", nouns),
        "verb": told(train, test, "verb", verbs),
    }
    video["verb"]["true_noun"] = from_noun(train, test, nouns, verbs)
    results = {
        "train": options.train,
        "test": options.test,
        "objects": objects,
        "video": video,
    }
    print(cli.text(results))
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
