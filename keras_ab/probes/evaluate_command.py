"""The command that measures an encoder."""

import argparse
import ast
import contextlib
import sys
from collections.abc import Sequence
from typing import Any

from keras_ab.probes import command_line
from keras_ab.probes.catalogue import PROBES
from keras_ab.probes.catalogue import TASKS
from keras_ab.probes.catalogue import make_probe
from keras_ab.probes.evaluate import evaluate
from keras_ab.probes.sets import NAMED
from keras_ab.probes.terminal import show_report


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Its arguments; None for those of the process.

    Returns:
        Int, the exit status: 0, or 1 where something was not accepted.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    options = parser.parse_args(arguments)
    chosen = command_line.chosen(parser, options)
    if options.index_folder is not None:
        chosen["index_folder"] = options.index_folder
    try:
        probes = _probes(parser, options)
        encoder = command_line.encoder(options)
        with command_line.stages() as progress:
            report = evaluate(
                encoder,
                options.tasks,
                probes,
                data=options.data,
                test_data=options.test_data,
                train_size=options.train,
                test_size=options.test,
                options=chosen,
                batch_size=options.batch_size,
                cache=options.cache,
                seed=options.seed,
                progress=progress,
                views=options.views,
            )
    except (OSError, ValueError, ImportError) as error:
        parser.exit(1, f"error: {error}\n")
    report.command = ["python", "-m", "keras_ab.probes", *arguments]
    if options.json is not None:
        report.save(options.json)
    _show(report)
    return 0


def _show(report):
    said = report.encoder
    branch = f", {said['branch']} network" if said.get("branch") else ""
    layer = "" if said.get("layer") is None else f", layer {said['layer']}"
    print(
        f"{report.name}{branch}{layer}: {said['parameters']:,} parameters, "
        f"protocol {report.protocol}, {report.seconds:,.0f} s"
    )
    show_report(report)
    for result in report.results:
        skipped = sum(split["skipped"] for split in result.data.values())
        if skipped:
            print(f"{result.task}: {skipped:,} records skipped")


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m keras_ab.probes",
        description="Measures a frozen encoder on tasks, by probes. "
        "`python -m keras_ab.probes compare FILE...` puts results side by "
        "side.",
    )
    command_line.add_encoder(parser)
    parser.add_argument(
        "tasks",
        nargs="+",
        metavar="TASK[=DATA]",
        help=f"{', '.join(TASKS)}; DATA as in --data",
    )
    parser.add_argument(
        "--probe",
        nargs="+",
        action="extend",
        metavar="PROBE",
        help=f"{', '.join(PROBES)}; by default the decoder",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PROBE.NAME=VALUE",
        help="a setting of a probe, another than the protocol's; several times",
    )
    parser.add_argument(
        "--data",
        help="what tasks are measured on: scenes, objects, video, "
        f"{', '.join(NAMED)}, a path or name of other data, or MODULE:NAME, "
        "a function in Python that takes size and split; by default a "
        "built-in set",
    )
    parser.add_argument(
        "--test-data", help="where --data has no split of its own"
    )
    for name in ("train", "test"):
        parser.add_argument(
            f"--{name}",
            type=command_line.positive,
            metavar="N",
            help=f"records to {name} on at most",
        )
    command_line.add_data(parser)
    parser.add_argument(
        "--cache", metavar="FOLDER", help="keeps features for the next time"
    )
    parser.add_argument(
        "--views",
        type=int,
        default=0,
        metavar="N",
        help="random crops of each training picture for linear and map",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="file for the results")
    return parser


def _probes(parser, options):
    """The probes, with the settings that were given."""
    names = options.probe or ["decoder"]
    settings: dict[str, dict[str, Any]] = {name: {} for name in names}
    for text in options.set:
        place, equals, value = text.partition("=")
        probe, dot, name = place.partition(".")
        if not equals or not dot or probe not in settings:
            parser.error(
                f"--set needs PROBE.NAME=VALUE with a probe of {names}. "
                f"Received: {text!r}"
            )
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value)
        settings[probe][name] = value
    return [make_probe(name, options.seed, **settings[name]) for name in names]
