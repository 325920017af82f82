"""What runs left behind, kept by their configuration."""

import dataclasses
import json
import pathlib

import numpy as np

from findings import scenes
from findings.run import report_key
from findings.run import training_key
from findings.run import trainings
from keras_ab.analysis import Collected
from keras_ab.probes import Report


class NotMeasured(KeyError):
    """A figure that a run was not measured by."""


@dataclasses.dataclass
class Measured:
    """A run that was trained and measured.

    Args:
        run: The `findings.run.Run`.
        report: Its `keras_ab.probes.Report`.
        collected: Its `keras_ab.analysis.Collected`, or None.
        cost: Dict of `"core_seconds"`, `"seconds"` and `"views"`.
    """

    run: object
    report: Report
    collected: Collected | None
    cost: dict

    def outcome(self, figure):
        """The headline of a figure.

        Args:
            figure: String, `"TASK/PROBE"`.

        Returns:
            A `keras_ab.probes.Outcome`.
        """
        return self.result(figure).outcomes[0]

    def result(self, figure):
        """All of a figure's result.

        Args:
            figure: String, `"TASK/PROBE"`.

        Returns:
            A `keras_ab.probes.Result`.

        Raises:
            NotMeasured: If there is none.
        """
        task, _, probe = figure.rpartition("/")
        for result in self.report.results:
            if (result.task, result.probe) == (task, probe):
                return result
        has = [f"{r.task}/{r.probe}" for r in self.report.results]
        raise NotMeasured(
            f"{self.run.title} was not measured by {figure}: {has}"
        )

    def value(self, figure):
        """The value of a figure, a float."""
        return self.outcome(figure).value

    def last(self, name):
        """The mean of a measure over the last quarter of its looks.

        Args:
            name: String, `"MEASURE/KEY"`.

        Returns:
            Array or float.
        """
        if self.collected is None:
            raise KeyError(f"{self.run.title} did not look inside itself.")
        values = self.collected[name]
        return np.nanmean(values[-max(1, len(values) // 4) :], axis=0)


class Store:
    """The folder of all runs of a budget.

    Args:
        folder: Path.
        budget: A `findings.run.Budget`.
        runs: All runs that are wanted, so that those that share a training
            find the same.
    """

    def __init__(self, folder, budget, runs):
        self.folder = pathlib.Path(folder)
        self.budget = budget
        self.trainings = trainings(runs)
        self.runs = [run for group in self.trainings for run in group]
        self._collects = {
            (run.recipe, run.seed, run.options): run.collect
            for run in self.runs
        }

    def whole(self, run):
        """The run as it is trained: it collects if anybody wants that."""
        collect = self._collects[run.recipe, run.seed, run.options]
        return dataclasses.replace(run, collect=collect)

    def training(self, run):
        """The folder of a run's training."""
        return self.folder / training_key(self.whole(run), self.budget)

    def report(self, run):
        """The file of its measurement."""
        name = report_key(self.whole(run), self.budget)
        return self.training(run) / f"{name}.json"

    def is_trained(self, run):
        """Whether the training came to its end."""
        return (self.training(run) / "cost.json").exists()

    def is_done(self, run):
        """Whether it was measured too."""
        return self.is_trained(run) and self.report(run).exists()

    def missing(self, wanted=None):
        """What is left to do.

        Args:
            wanted: Runs that are asked for; None for all.

        Returns:
            List of lists of `Run`s, those of one training together.
        """
        known = None if wanted is None else {self.whole(r) for r in wanted}
        left = [
            [
                run
                for run in group
                if (known is None or run in known) and not self.is_done(run)
            ]
            for group in self.trainings
        ]
        return [group for group in left if group]

    def get(self, run):
        """What a run came to.

        Args:
            run: A `findings.run.Run`.

        Returns:
            A `Measured`.
        """
        folder = self.training(run)
        cost = json.loads((folder / "cost.json").read_text())
        looks = folder / "collected.npz"
        collected = Collected.load(looks) if looks.exists() else None
        report = Report.load(self.report(run))
        report = scenes.as_built_in(report, self.budget.scenes)
        return Measured(run, report, collected, cost)
