"""The paper's findings: `python -m findings`, or `make findings`.

    python -m findings                 # all of them, hours
    python -m findings T2 F5           # some
    python -m findings --budget quick  # the headline, half an hour
    python -m findings --budget smoke  # only shows that all of it runs
    python -m findings --list          # what there is, and what is left to do
    python -m findings --write         # RESULTS.md of the runs so far, at once
    python -m findings headline --scenes mine:photos  # on scenes of your own
    python -m findings --list --json left.json  # any of these, for programs

Runs are kept by their configuration: a command that was cut off goes on, and
findings share what they can.

--scenes names a function in Python with the arguments of keras_ab.data.Scenes
(size, seed and split, "train" or "test") that returns a keras_ab.data.Source of
at most so many records, with the fields of Scenes as far as there are such:
text, label, boxes, classes, count, depth. What cannot be measured for want of
a field is left out. Objects and video stay built in. PLAN.md has an example.
"""

import argparse
import collections
import dataclasses
import pathlib
import signal
import sys

from findings import scenes
from findings import work
from findings.catalogue import chosen
from findings.run import BUDGETS
from findings.run import trainings
from findings.store import Store

HERE = pathlib.Path(__file__).parent
FOLDERS = {"full": HERE, "quick": HERE / "quick"}


def main(arguments=None):
    """Runs the command.

    Args:
        arguments: Its arguments; None for those of the process.

    Returns:
        Int, the exit status: 0, or 1 where a run failed.
    """
    options = _parser().parse_args(arguments)
    budget = BUDGETS[options.budget]
    budget = dataclasses.replace(budget, scenes=options.scenes)
    try:
        findings = chosen(options.findings, budget)
        scenes.lacking(budget.scenes)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # Results are of all that is known, whatever is asked for now.
    every = {f.name: f for f in [*chosen([], budget), *findings]}.values()
    store = Store(options.runs, budget, runs_of(every))
    if options.list:
        return _list(findings, store, options.json)
    # Imported here: what draws and computes takes a while.
    from findings import pool
    from findings import write

    # As Ctrl-C does: what runs is ended with this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = {}
    if not options.write:
        failed = pool.do_all(
            store, runs_of(findings), options.jobs, options.backend
        )
    folder = folder_of(budget, options.runs, options.output)
    judged = write.write_results(every, store, folder)
    write.show(judged)
    if options.json:
        found = [verdict.as_json() for verdict in judged]
        work.write(pathlib.Path(options.json), found)
    print(f"{folder}/RESULTS.md", file=sys.stderr)
    return int(bool(failed))


def folder_of(budget, runs, output=None):
    """Where results go.

    Args:
        budget: A `findings.run.Budget`.
        runs: Path, the folder of all runs.
        output: Path, as it was asked for, or None.

    Returns:
        Path.
    """
    on = f"-on-{budget.scenes.partition(':')[2]}" if budget.scenes else ""
    if budget.name == "smoke":
        # It says nothing, and must not pass for a result.
        return pathlib.Path(runs) / f"smoke{on}"
    if output:
        return pathlib.Path(output)
    if not on:
        return FOLDERS[budget.name]
    # Beside the runs, not over what is known of the built-in scenes.
    folder = pathlib.Path(f"runs/findings{on}")
    return folder / "quick" if budget.name == "quick" else folder


def runs_of(findings):
    """All runs of findings, a list."""
    return [run for finding in findings for run in finding.runs]


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m findings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "findings", nargs="*", metavar="FINDING", help="by name; none for all"
    )
    parser.add_argument("--budget", choices=list(BUDGETS), default="full")
    parser.add_argument(
        "--jobs", type=int, help="runs at a time; by default one a core"
    )
    parser.add_argument("--backend", default="tensorflow")
    parser.add_argument(
        "--runs", default="runs/findings", help="folder that keeps the runs"
    )
    parser.add_argument(
        "--output",
        help="folder of RESULTS.md; by default findings/, or with --scenes "
        "runs/findings-on-NAME/",
    )
    parser.add_argument(
        "--scenes",
        default="",
        metavar="MODULE:NAME",
        help="a function that makes scenes, in place of the built-in ones",
    )
    parser.add_argument(
        "--list", action="store_true", help="say what there is, and stop"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="file for the verdicts, or the list"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="run nothing: write what the runs so far say",
    )
    return parser


def _list(findings, store, path=None):
    hours, unknown = forecast(store)
    said = {
        "findings": {
            finding.name: {
                "title": finding.title,
                "runs": len(trainings(finding.runs)),
                "left": len(store.missing(finding.runs)),
            }
            for finding in findings
        },
        "runs": len(store.trainings),
        "left": len(store.missing()),
        "core_hours_left": hours,
        "unknown": unknown,
    }
    for name, one in said["findings"].items():
        print(f"{name}: {one['title']}")
        print(f"    {one['runs']} runs, {one['left']} left")
    print(f"{said['runs']} runs in all, {said['left']} left")
    if path:
        work.write(pathlib.Path(path), said)
    if hours is not None:
        print(f"{hours:.1f} core-hours left, by what runs have cost so far")
    if unknown:
        print(f"not known yet: {', '.join(unknown)}")
    return 0


def forecast(store):
    """What the runs that are left will cost.

    Args:
        store: A `findings.store.Store`.

    Returns:
        Core-hours, None where nothing is known; and a list of the recipes of
        which nothing is known.
    """
    seconds = collections.defaultdict(list)
    missing = store.missing()
    for runs in store.trainings:
        if all(store.is_done(run) for run in runs):
            cost = store.get(runs[0]).cost
            both = cost["core_seconds"] + cost.get("measuring_core_seconds", 0)
            seconds[runs[0].recipe].append(both)
    left = [runs[0].recipe for runs in missing]
    known = [sum(seconds[r]) / len(seconds[r]) for r in left if r in seconds]
    unknown = sorted(set(left) - set(seconds))
    hours = sum(known) / 3600 if known or not left else None
    return hours, unknown


if __name__ == "__main__":
    sys.exit(main())
