"""Doing a run: two commands that anybody could type, and what they cost."""

import json
import os
import subprocess
import sys
import threading
import time

from findings import scenes
from keras_ab.probes.catalogue import fits
from keras_ab.probes.catalogue import make_probe
from keras_ab.probes.catalogue import make_task

# Slow imports of TensorFlow say much on standard error.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
# A training that is told to end saves first, and goes on the next time.
RUNNING = set()
STARTING = threading.Lock()
STOPPED = threading.Event()


def training_command(run, store):
    """The command that trains.

    Args:
        run: A `findings.run.Run`.
        store: A `findings.store.Store`.

    Returns:
        List of strings.
    """
    budget = store.budget
    whole = store.whole(run)
    command = [
        sys.executable,
        *("-m", f"recipes.{run.recipe}", f"--{budget.scale}"),
        *("--seed", str(run.seed), "--no-evaluate", "--workers", "1"),
        *("--output", str(store.training(run))),
    ]
    if budget.views and "views" not in dict(run.options):
        command += ["--views", str(budget.views)]
    if budget.images:
        command += ["--images", str(budget.images)]
    if budget.scenes:
        command += ["--scenes", budget.scenes]
    for name, value in run.options:
        flag = name.replace("_", "-")
        if value in ("True", "False"):
            command.append(f"--{flag}" if value == "True" else f"--no-{flag}")
        else:
            command += [f"--{flag}", value]
    if whole.collect:
        steps = steps_of(run, budget)
        every = max(1, steps // budget.looks)
        command += ["--collect-every", str(every)]
    return command


def steps_of(run, budget):
    """How many updates a run makes.

    Args:
        run: A `findings.run.Run`.
        budget: A `findings.run.Budget`.

    Returns:
        Int.
    """
    import dataclasses
    import importlib

    from recipes import budget as views

    module = importlib.import_module(f"recipes.{run.recipe}")
    options = {"small": module.SMALL, "smoke": module.SMOKE}[budget.scale]
    given = {
        name: type(getattr(options, name))(value)
        for name, value in run.options
        if not isinstance(getattr(options, name), bool)
    }
    options = dataclasses.replace(options, **given)
    seen = given.get("views") or budget.views or options.views
    return seen // views.views_per_step(options)


def measuring_command(run, store):
    """The command that measures what was trained.

    Args:
        run: A `findings.run.Run`.
        store: A `findings.store.Store`.

    Returns:
        List of strings.
    """
    budget = store.budget
    tasks = [task for task in run.tasks if answered(task, budget)]
    # Something is measured always, so that a run comes to its end.
    usual = "classification"
    if usual in scenes.lacking(budget.scenes):
        usual = "classification=objects"
    command = [
        sys.executable,
        *("-m", "keras_ab.probes", str(store.training(run) / "checkpoints")),
        *(scenes.place(task, budget.scenes) for task in tasks or [usual]),
        *("--probe", *budget.probes),
        *("--train", str(budget.train), "--test", str(budget.test)),
        *("--name", run.title),
        *("--json", str(store.report(run))),
    ]
    for name, value in budget.decoder:
        command += ["--set", f"decoder.{name}={value}"]
    return command


def answered(task, budget):
    """Whether a budget has a probe for a task, and its scenes the fields.

    Args:
        task: String, `TASK` or `TASK=DATA`.
        budget: A `findings.run.Budget`.

    Returns:
        Bool.
    """
    if scenes.on_scenes(task) and task in scenes.lacking(budget.scenes):
        return False
    task = make_task(task.partition("=")[0])
    return any(fits(make_probe(probe), task) for probe in budget.probes)


class Failed(RuntimeError):
    """A command that ended with an error."""


def do(runs, store, core=None, backend="tensorflow"):
    """Trains and measures, as far as that was not done before.

    Args:
        runs: List of `findings.run.Run`s of one training.
        store: A `findings.store.Store`.
        core: Int, the core that it may use, or None for all.
        backend: String, Keras' backend.

    Raises:
        Failed: If a command ends with an error; it says which log to read.
    """
    folder = store.training(runs[0])
    folder.mkdir(parents=True, exist_ok=True)
    if not store.is_trained(runs[0]):
        command = training_command(runs[0], store)
        log = folder / "train.log"
        seconds, core_seconds = call(command, log, core, backend)
        lines = (folder / "history.jsonl").read_text().splitlines()
        cost = {
            "seconds": seconds,
            "core_seconds": core_seconds,
            "views": json.loads(lines[-1])["views"],
            "backend": backend,
            "command": command[1:],
        }
        write(folder / "cost.json", cost)
    for run in runs:
        if store.is_done(run):
            continue
        log = store.report(run).with_suffix(".log")
        command = measuring_command(run, store)
        _, core_seconds = call(command, log, core, backend)
        cost = json.loads((folder / "cost.json").read_text())
        cost["measuring_core_seconds"] = (
            cost.get("measuring_core_seconds", 0) + core_seconds
        )
        write(folder / "cost.json", cost)


def call(command, log, core, backend):
    """Runs a command, with its output in a file.

    Args:
        command: List of strings.
        log: Path; what the command has cost is kept beside it.
        core: As in `do`.
        backend: As in `do`.

    Returns:
        Seconds that passed, and seconds of all cores that it took, those of
        earlier calls that were cut off included.

    Raises:
        Failed: If it ends with an error, or `stop_all` was called.
    """
    environment = {**os.environ, **QUIET, "KERAS_BACKEND": backend}

    def pin():
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {core})

    started = time.monotonic()
    with open(log, "w") as stream:
        with STARTING:
            if STOPPED.is_set():
                raise Failed(f"{' '.join(command[1:])} was not begun")
            process = subprocess.Popen(
                command,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                preexec_fn=pin,
            )
            RUNNING.add(process)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            RUNNING.discard(process)
    process.returncode = os.waitstatus_to_exitcode(status)
    kept = log.with_suffix(".spent.json")
    before = json.loads(kept.read_text()) if kept.exists() else [0.0, 0.0]
    spent = (
        before[0] + time.monotonic() - started,
        before[1] + usage.ru_utime + usage.ru_stime,
    )
    write(kept, spent)
    if process.returncode:
        raise Failed(
            f"{' '.join(command[1:])} ended with status "
            f"{process.returncode}; see {log}"
        )
    return spent


def stop_all():
    """Ends the commands that run, and lets no other begin."""
    with STARTING:
        STOPPED.set()
        for process in list(RUNNING):
            process.terminate()


def write(path, found):
    """Writes JSON, whole or not at all.

    Args:
        path: Path.
        found: What JSON can hold.
    """
    aside = path.with_name(f"{path.name}.unfinished")
    aside.write_text(json.dumps(found, indent=2) + "\n")
    os.replace(aside, path)
