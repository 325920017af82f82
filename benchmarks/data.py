r"""How fast views are made, beside torchvision and PIL, in one run.

    python -m benchmarks.data --torchvision-python PATH --json runs/data.json

Four views of each of some 500 x 375 JPEGs of quality 90, RandomResizedCrop
(0.05, 0.5) to 224 pixels, antialiased bilinear: by `value_batches`, and by
PIL with one decode an image or one a crop, with torchvision's transforms
(`vs_torchvision_one_decode`, `vs_torchvision_decode_per_crop`) and without
(`vs_pil_...`). Ratios above 1: ours is faster. `share_of_decode_limit` is the
time of tf.data decoding alone over ours. Every figure is given for each number
of cores, and at the top level the worst of them. torchvision runs in an
interpreter of its own, since it is no dependency; without one its ratios are
null, and `torchvision` says why. On a machine that has other work, compare one
core by processor time (`--cores 1 --clock process_time`).
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

# TensorFlow as it feeds another backend.
os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from benchmarks import cli
from benchmarks.workers import Worker

SIZE, VIEWS, BATCH = 224, 4, 16
PEERS = pathlib.Path(__file__).parent / "pillow_crops.py"


def write_photos(folder, count, rows=375, columns=500):
    """JPEGs with the statistics of photographs: detail falls with scale."""
    from PIL import Image

    rng = np.random.default_rng(0)
    y = np.fft.fftfreq(rows)[:, None]
    x = np.fft.rfftfreq(columns)[None]
    amplitude = 1 / np.maximum(np.hypot(x, y), 1 / columns)
    for i in range(count):
        phases = rng.uniform(0, 2 * np.pi, (3, rows, x.shape[1]))
        waves = np.fft.irfft2(amplitude * np.exp(1j * phases), (rows, columns))
        # Colours of a photograph are mostly one grey.
        planes = waves[:1] + 0.3 * waves[1:, None].mean(0)
        planes = planes + 0.2 * waves
        planes = 128 + 55 * planes / planes.std()
        pixels = np.moveaxis(planes, 0, -1).clip(0, 255).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{i:04d}.jpg", quality=90)


def serve(kind, folder, clock):
    """Answers each line of the input with the seconds of one pass."""
    import tensorflow as tf

    from keras_ab import data
    from keras_ab.data.crops import decode

    clock = getattr(time, clock)
    source = data.from_folder(folder)
    steps, warm = len(source) // BATCH, 6
    if kind == "views":
        stream = data.value_batches(source, SIZE, BATCH, num_views=VIEWS)
    else:
        # As little as a pipeline can do: only the shapes go on.
        stream = (
            tf.data.Dataset.range(2**62)
            .map(
                lambda i: tf.shape(
                    decode(source.load(i % len(source))["image"])
                ),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            .batch(BATCH)
            .prefetch(tf.data.AUTOTUNE)
        )

    def run():
        # A new iterator, whose buffers hold nothing from before, and taken
        # faster than it can fill them.
        batches = iter(stream)
        for _ in range(warm):
            next(batches)
        started = clock()
        for _ in range(steps):
            next(batches)
        return clock() - started

    run()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(run(), flush=True)


def commands(folder, cores, torchvision_python, clock):
    """The candidates: names and command lines."""
    ours = [sys.executable, "-m", "benchmarks.data", "--folder", str(folder)]
    ours += ["--clock", clock]
    found = {
        "views": [*ours, "--serve", "views"],
        "decode": [*ours, "--serve", "decode"],
    }
    interpreters = {"pil": sys.executable, "torchvision": torchvision_python}
    for kind, python in interpreters.items():
        for name, decodes in (
            (f"{kind}_one_decode", "one"),
            (f"{kind}_decode_per_crop", "each"),
        ):
            if python:
                found[name] = [
                    *(python, str(PEERS), kind, decodes, str(folder)),
                    *(str(SIZE), str(cores), clock),
                ]
    return found


def compare(folder, cores, options):
    """Ratios on some cores, from passes that take turns."""
    places = set(sorted(os.sched_getaffinity(0))[:cores])
    workers, reason = {}, None
    try:
        for name, command in commands(
            folder, cores, options.torchvision_python, options.clock
        ).items():
            try:
                workers[name] = Worker(command, places)
            except (RuntimeError, OSError) as error:
                if not name.startswith("torchvision"):
                    raise
                reason = str(error)
        seconds = {name: [] for name in workers}
        for _ in range(options.rounds):
            for name, worker in workers.items():
                seconds[name].append(worker.seconds())
    finally:
        for worker in workers.values():
            worker.stop()
    views = options.images * VIEWS
    result = {
        "views_per_second": views / statistics.median(seconds["views"]),
        "share_of_decode_limit": _ratio(seconds, "decode", "views"),
    }
    for kind in ("torchvision", "pil"):
        for way in ("one_decode", "decode_per_crop"):
            name = f"{kind}_{way}"
            result[f"vs_{name}"] = (
                _ratio(seconds, name, "views") if name in seconds else None
            )
    result["seconds"] = seconds
    return result, reason


def _ratio(seconds, slow, fast):
    return statistics.median(
        a / b for a, b in zip(seconds[slow], seconds[fast])
    )


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--torchvision-python", help="an interpreter that has torchvision"
    )
    parser.add_argument(
        "--clock",
        choices=("perf_counter", "process_time"),
        default="perf_counter",
    )
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.serve:
        return serve(options.serve, options.folder, options.clock)
    if options.images < BATCH or options.images % BATCH:
        parser.error(f"--images must be a multiple of {BATCH}")
    reason = None
    if not options.torchvision_python:
        reason = "no --torchvision-python was given"
    by_cores = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_photos(folder, options.images)
        sizes = [file.stat().st_size for file in folder.iterdir()]
        for cores in options.cores:
            if cores > len(os.sched_getaffinity(0)):
                print(f"This machine does not have {cores} cores.")
                continue
            by_cores[cores], failed = compare(folder, cores, options)
            reason = reason or failed
    keys = [k for k in next(iter(by_cores.values())) if k != "seconds"]
    worst = {
        key: min((r[key] for r in by_cores.values()), default=None)
        if all(r[key] is not None for r in by_cores.values())
        else None
        for key in keys
    }
    results = {
        **worst,
        "clock": options.clock,
        "backend": keras.backend.backend(),
        "torchvision": reason or "measured",
        "bytes_per_image": statistics.mean(sizes),
        "cores": by_cores,
    }
    print(cli.text(results))
    cli.keep(results, options.json)
    return None


if __name__ == "__main__":
    main()
