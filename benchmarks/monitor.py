r"""What the monitor costs, at the small scale of ABCLIP's recipe.

    python -m benchmarks.monitor --json runs/monitor.json

`reading_vs_step` is the median time of a reading over that of a training
step, both within one `model.fit`; `share` is that over the default
`every_steps`: the share of a run's time. `first_seconds` is the first reading,
which compiles.
"""

import dataclasses
import statistics
import time

import keras

from benchmarks import cli
from keras_ab import callbacks
from keras_ab import data
from recipes import ab_clip
from recipes import sources

DEFAULT = callbacks.Monitor().every_steps


class Timed(callbacks.Monitor):
    """A monitor that reads at every second step, and takes the time."""

    def __init__(self):
        super().__init__(every_steps=2, alarm=None)
        self.readings, self.steps = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.since = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        # The losses are here already, so the step is done.
        done = time.perf_counter()
        self.steps.append(done - self.since)
        super().on_train_batch_end(batch, logs)
        if self.step % 2 == 0:
            self.readings.append(time.perf_counter() - done)


def measure(options, count):
    """Times of steps and of readings.

    Args:
        options: The recipe's options.
        count: Int, steps to take.

    Returns:
        Dict for JSON.
    """
    reward, value, tokenizer = sources.captioned_and_more(options)
    model, _ = ab_clip.build(options, tokenizer)
    batches = data.bootstrap_batches(
        reward,
        value,
        tokenizer,
        image_size=options.image_size,
        reward_batch_size=options.reward_batch_size,
        value_batch_size=options.value_batch_size,
        num_views=options.num_views,
    )
    monitor = Timed()
    model.fit(batches, steps_per_epoch=count, verbose=0, callbacks=[monitor])
    # The first ones compile.
    reading = statistics.median(monitor.readings[1:])
    step = statistics.median(monitor.steps[2:])
    return {
        "backend": keras.backend.backend(),
        "reading_seconds": reading,
        "step_seconds": step,
        "first_seconds": monitor.readings[0],
        "reading_vs_step": reading / step,
        "every_steps": DEFAULT,
        "share": reading / step / DEFAULT,
    }


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args(argv)
    options = dataclasses.replace(ab_clip.SMALL, images=500, captioned=250)
    results = measure(options, given.steps)
    print(
        f"{results['backend']}: a reading takes "
        f"{results['reading_vs_step']:.2f} of a step, the first "
        f"{results['first_seconds']:.1f} s; one in {DEFAULT} steps is "
        f"{results['share']:.2%} of a run."
    )
    cli.keep(results, given.json)


if __name__ == "__main__":
    main()
