r"""The first step of a run that goes on: with and without compiled steps kept.

    KERAS_BACKEND=jax python -m benchmarks.warm_start --rounds 3 \
        --json benchmarks/results/warm_start_jax.json

ABCLIP at its recipe's small scale, on built-in scenes, from a checkpoint. Each
measurement is a process of its own: cold, with an empty folder of
`keras_ab.compilation.keep`, and warm, with the folder that the cold one left,
in turns. Seconds are those from the start of `fit` to the end of its first
step, `warm_first_step_vs_cold` the median of the rounds' ratios; `split` says
what JAX says that it spent on it.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import cli

EVENTS = {
    "/jax/core/compile/jaxpr_trace_duration": "tracing",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lowering",
    "/jax/core/compile/backend_compile_duration": "compiling_or_loading",
}


def first_step(folder, compiled):
    """Times of a process' first step.

    Args:
        folder: Path of the checkpoints; the first call makes one.
        compiled: Path of the folder of compiled steps.

    Returns:
        Dict for JSON.
    """
    import keras

    from keras_ab import callbacks
    from keras_ab import compilation
    from keras_ab import data
    from recipes import ab_clip
    from recipes import sources

    built = time.perf_counter(), time.process_time()
    compilation.keep(compiled)
    options = dataclasses.replace(ab_clip.SMALL, images=256, captioned=128)
    reward, value, tokenizer = sources.captioned_and_more(options)
    painted = time.perf_counter(), time.process_time()
    model, _ = ab_clip.build(options, tokenizer)
    checkpoint = callbacks.Checkpoint(folder)
    checkpoint.restore(model)
    batches = data.bootstrap_batches(
        reward,
        value,
        tokenizer,
        image_size=options.image_size,
        reward_batch_size=options.reward_batch_size,
        value_batch_size=options.value_batch_size,
        num_views=options.num_views,
        start_step=checkpoint.step,
    )
    ended = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ended.append(
            (time.perf_counter(), time.process_time())
        )
    )
    split = collections.Counter()
    if keras.backend.backend() == "jax":
        import jax

        def listen(event, seconds, **_):
            if event in EVENTS and not ended:
                split[EVENTS[event]] += seconds

        jax.monitoring.register_event_duration_secs_listener(listen)
    began = time.perf_counter(), time.process_time()
    model.fit(
        batches,
        steps_per_epoch=2,
        verbose=0,
        callbacks=[clock, *([] if checkpoint.step else [checkpoint])],
    )
    return {
        "wall_seconds": ended[0][0] - began[0],
        "cpu_seconds": ended[0][1] - began[1],
        "second_step_wall_seconds": ended[1][0] - ended[0][0],
        "build_and_restore_cpu_seconds": began[1] - painted[1],
        "paint_cpu_seconds": painted[1] - built[1],
        "split_seconds": dict(split),
    }


def measured(folder, compiled):
    """`first_step` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.warm_start"]
        + ["--folder", str(folder), "--compiled", str(compiled)],
        check=True,
        stdout=subprocess.PIPE,
        env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
    )
    return json.loads(done.stdout.splitlines()[-1])


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--compiled", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.folder:
        print(json.dumps(first_step(given.folder, given.compiled)))
        return
    rounds = []
    with tempfile.TemporaryDirectory() as place:
        folder, compiled = pathlib.Path(place, "run"), pathlib.Path(place, "c")
        # Makes the checkpoint.
        measured(folder, compiled)
        for _ in range(given.rounds):
            shutil.rmtree(compiled, ignore_errors=True)
            cold, warm = (measured(folder, compiled) for _ in range(2))
            rounds.append({"cold": cold, "warm": warm})
            print(json.dumps(rounds[-1]), flush=True)
    results = {
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "warm_first_step_vs_cold": {
            kind: statistics.median(
                r["warm"][f"{kind}_seconds"] / r["cold"][f"{kind}_seconds"]
                for r in rounds
            )
            for kind in ("wall", "cpu")
        },
        "rounds": rounds,
    }
    print(json.dumps(results["warm_first_step_vs_cold"]))
    cli.keep(results, given.json)


if __name__ == "__main__":
    main()
