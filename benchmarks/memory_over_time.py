r"""Whether a long run keeps its memory: thousands of steps.

    KERAS_BACKEND=jax python -m benchmarks.memory_over_time \
        --json runs/memory_over_time_jax.json

ABCLIP of test size on built-in scenes, with a validation and a checkpoint every
100 steps (`--every`), after which resident memory is read, and a monitor twice
as often. The first 500 steps are warm-up. `rss_last_over_first` is the mean of
the last fifth of the readings after it over the mean of the first fifth.
"""

import dataclasses
import json
import statistics
import tempfile

import keras

from benchmarks import cli
from benchmarks.value_loss import status
from keras_ab import callbacks
from keras_ab import data
from recipes import ab_clip
from recipes import sources


class Resident(keras.callbacks.Callback):
    """Resident memory in MiB at the end of each epoch, and steps taken."""

    def __init__(self):
        super().__init__()
        self.readings, self.steps = [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1

    def on_epoch_end(self, epoch, logs=None):
        self.readings.append(status("VmRSS"))


def readings(options, epochs, every):
    """Resident memory after each epoch of a run.

    Args:
        options: Options of ABCLIP's recipe.
        epochs: Int.
        every: Int, steps of an epoch, and between checkpoints.

    Returns:
        List of floats, MiB, and the number of steps: SIGTERM ends a run.
    """
    reward, value, tokenizer = sources.captioned_and_more(options)
    model, _ = ab_clip.build(options, tokenizer)

    def batches(seed):
        return data.bootstrap_batches(
            reward,
            value,
            tokenizer,
            image_size=options.image_size,
            reward_batch_size=options.reward_batch_size,
            value_batch_size=options.value_batch_size,
            num_views=options.num_views,
            seed=seed,
        )

    held_out = batches(1).take(4)
    resident = Resident()
    with tempfile.TemporaryDirectory() as folder:
        model.fit(
            batches(0),
            steps_per_epoch=every,
            epochs=epochs,
            validation_data=held_out,
            verbose=0,
            callbacks=[
                callbacks.Monitor(every // 2, alarm=None),
                callbacks.Checkpoint(folder, every_steps=every),
                resident,
            ],
        )
    return resident.readings, resident.steps


def growth(found):
    """The mean of the last fifth of readings over that of the first.

    Args:
        found: List of floats.

    Returns:
        Float.
    """
    fifth = max(1, len(found) // 5)
    return statistics.mean(found[-fifth:]) / statistics.mean(found[:fifth])


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--warm-up", type=int, default=500)
    given = parser.parse_args(argv)
    options = dataclasses.replace(
        ab_clip.SMOKE,
        # Whose schedule is as long as the run.
        views=given.steps * 16,
        reward_batch_size=8,
        value_batch_size=2,
    )
    every = given.every
    found, steps = readings(options, given.steps // every, every)
    after = found[given.warm_up // every :]
    slope = statistics.linear_regression(range(len(after)), after).slope
    results = {
        "backend": keras.backend.backend(),
        "steps": steps,
        "every": every,
        "warm_up": given.warm_up,
        "rss_last_over_first": growth(after),
        "mib_per_1000_steps": slope * 1000 / every,
        "rss_mib": found,
    }
    print(json.dumps(results))
    cli.keep(results, given.json)


if __name__ == "__main__":
    main()
