"""Evaluation: `python -m keras_ab.probes MODEL TASK...`, and `compare`."""

import sys

from keras_ab.probes import compare_command
from keras_ab.probes import evaluate_command


def main(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Its arguments; None for those of the process.

    Returns:
        Int, the exit status.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["compare"]:
        return compare_command.main(arguments[1:])
    return evaluate_command.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
