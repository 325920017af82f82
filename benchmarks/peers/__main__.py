r"""Our steps beside other projects' and the machine's peak, in one run.

    python -m benchmarks.peers --python peers/bin/python \
        --big-vision big_vision/ --json benchmarks/results/peers.json \
        --plot benchmarks/results/peers.png

A process a backend; their candidates take turns, one at a time, and every
ratio is the median of the ratios within a turn. Above 1: ours is faster.

- `vit_vs_*`: forward and backward of a ViT-S/16 at 224 pixels, others' time
  over ours on the same backend; `vit_vs_kerashub_tensorflow` of what each is
  fastest at, a plain graph or XLA's;
- `simclr_vs_lightly`, `dino_vs_lightly`: training steps in PyTorch;
- `ab_step_vs_bare`: `fit` of ABCLIP over the same step in bare JAX;
- `vit_share_of_peak`, `ab_share_of_peak`, `clip_share_of_peak`: FLOPs that
  XLA counts, over the time, over the rate of products of 2048-cubes;
- `ab_extra_vs_flops`: how much longer ABCLIP's step takes than CLIP's on as
  many views, over how many more FLOPs it counts (1: as counted).

The peers need packages of their own: `pip install keras-hub flax timm lightly
ml_collections einops` beside keras, jax, tensorflow and torch, in an
environment that `--python` names. big_vision is in no package index:
`--big-vision` names a checkout. What cannot be had is said, and left out.
"""

import json
import os
import statistics
import sys

from benchmarks import cli
from benchmarks.peers import plot
from benchmarks.peers import serve
from benchmarks.workers import Worker

BACKENDS = ("jax", "tensorflow", "torch")
# Ours, theirs, and the name of the ratio.
PAIRS = (
    ("vit_jax", "vit_big_vision", "vit_vs_big_vision"),
    ("vit_jax", "vit_kerashub_jax", "vit_vs_kerashub_jax"),
    ("vit_tensorflow", "vit_kerashub_tensorflow", "vit_vs_kerashub_graph"),
    (
        "vit_tensorflow_xla",
        "vit_kerashub_tensorflow_xla",
        "vit_vs_kerashub_xla",
    ),
    ("vit_torch", "vit_kerashub_torch", "vit_vs_kerashub_torch"),
    ("vit_torch", "vit_timm", "vit_vs_timm"),
    ("simclr_torch", "simclr_lightly", "simclr_vs_lightly"),
    ("dino_torch", "dino_lightly", "dino_vs_lightly"),
)


def measure(workers, said, rounds):
    """Seconds of every candidate, turn by turn.

    Args:
        workers: Dict from backends to `Worker`s.
        said: Dict from backends to what they said of themselves.
        rounds: Int.

    Returns:
        Dict from candidates to lists of seconds.
    """
    seconds = {}
    for turn in range(rounds):
        for backend, worker in workers.items():
            names = said[backend]["candidates"]
            # Not counted: memory that the others held is had anew.
            for name in [n for n in names if n.startswith("vit")][:1]:
                worker.seconds(name)
            for name in names:
                seconds.setdefault(name, []).append(worker.seconds(name))
        print(f"round {turn + 1} of {rounds}", file=sys.stderr, flush=True)
    return seconds


def ratio(slow, fast):
    """Median over the turns of one candidate's time over another's."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def fastest(seconds, *names):
    """Seconds of the candidate with the least median, of those there are."""
    there = [seconds[name] for name in names if name in seconds]
    return min(there, key=statistics.median) if there else None


def figures(seconds, flops):
    """All ratios.

    Args:
        seconds: As `measure` returns.
        flops: Dict from candidates to FLOPs of a turn.

    Returns:
        Dict.
    """
    found = {
        name: ratio(seconds[theirs], seconds[ours])
        for ours, theirs, name in PAIRS
        if ours in seconds and theirs in seconds
    }
    ours = fastest(seconds, "vit_tensorflow", "vit_tensorflow_xla")
    hub = fastest(
        seconds, "vit_kerashub_tensorflow", "vit_kerashub_tensorflow_xla"
    )
    if ours and hub:
        found["vit_vs_kerashub_tensorflow"] = ratio(hub, ours)
    rates = {name: [flops[name] / t for t in seconds[name]] for name in flops}
    peak = rates["matmul"]
    found["peak_gflops"] = statistics.median(peak) / 1e9
    for name, key in (
        ("vit_jax", "vit_share_of_peak"),
        ("vit_big_vision", "big_vision_share_of_peak"),
        ("ab_step", "ab_share_of_peak"),
        ("clip_step", "clip_share_of_peak"),
    ):
        if name in rates:
            found[key] = ratio(rates[name], peak)
    if "ab_step" in seconds:
        found["ab_step_vs_bare"] = ratio(
            seconds["ab_step"], seconds["ab_bare_jax"]
        )
        longer = ratio(seconds["ab_step"], seconds["clip_step"]) - 1
        more = flops["ab_step"] / flops["clip_step"] - 1
        found["ab_over_clip_seconds"] = 1 + longer
        found["ab_over_clip_flops"] = 1 + more
        found["ab_extra_vs_flops"] = longer / more
    return found


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--python", default=sys.executable, metavar="FILE")
    parser.add_argument("--big-vision", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16, help="of a ViT")
    parser.add_argument("--images", type=int, default=4, help="of a method")
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=("vit", "ab", "simclr", "dino"),
        default=("vit", "ab", "simclr", "dino"),
    )
    parser.add_argument("--plot", help="file for a picture of them")
    options = parser.parse_args(argv)
    cores = os.sched_getaffinity(0)
    workers, said = {}, {}
    try:
        for backend in options.backends:
            command = [options.python, "-m", "benchmarks.peers.serve", backend]
            command += ["--batch", str(options.batch)]
            command += ["--images", str(options.images)]
            command += ["--parts", *options.parts]
            if options.big_vision:
                command += ["--big-vision", options.big_vision]
            print(f"{backend} gets ready", file=sys.stderr, flush=True)
            workers[backend] = Worker(
                command, cores, {"KERAS_BACKEND": backend}
            )
            said[backend] = json.loads(workers[backend].ready)
        seconds = measure(workers, said, options.rounds)
    finally:
        for worker in workers.values():
            worker.stop()
    flops = {k: v for s in said.values() for k, v in s["flops"].items()}
    missing = {k: v for s in said.values() for k, v in s["missing"].items()}
    results = {
        **figures(seconds, flops),
        "missing": missing,
        "cores": len(cores),
        "batch": options.batch,
        "images": options.images,
        "steps": serve.STEPS,
        "versions": {
            k: v for s in said.values() for k, v in s["versions"].items()
        },
        "flops": flops,
        "seconds": seconds,
    }
    for name, reason in missing.items():
        print(f"{name} is missing: {reason}", file=sys.stderr)
    print(cli.text(results))
    cli.keep(results, options.json)
    if options.plot:
        plot.bars(results, options.plot)


if __name__ == "__main__":
    main()
