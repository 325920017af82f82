"""What importing keras_ab costs beside importing Keras.

    python -m benchmarks.import_time --json runs/import_time.json

Fresh processes in turns, `import keras` and `import keras_ab`, each once before
anything counts, so that neither pays for compiling to bytecode or for cold
files. What counts is the processor time of the process, user and system
together, which other work on the machine disturbs less than a clock on the
wall. The ratio is the median of the turns' own ratios.
"""

import os
import statistics
import subprocess
import sys

from benchmarks import cli

IMPORTS = {"keras": "import keras", "keras_ab": "import keras_ab"}
WARM_UP = 1


def seconds(code, backend):
    """Processor time of a process that runs a line of Python."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": backend},
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return used.ru_utime + used.ru_stime


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--backend", default="torch", help="Keras' backend")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(argv)
    turns = [
        {name: seconds(code, options.backend) for name, code in IMPORTS.items()}
        for _ in range(WARM_UP + options.rounds)
    ][WARM_UP:]
    results = {
        "backend": options.backend,
        "import_keras_ab_vs_keras": statistics.median(
            turn["keras_ab"] / turn["keras"] for turn in turns
        ),
        **{
            f"{name}_seconds": statistics.median(turn[name] for turn in turns)
            for name in IMPORTS
        },
        "turns": turns,
    }
    print(cli.text(results))
    cli.keep(results, options.json)


if __name__ == "__main__":
    main()
