"""Measuring an encoder on tasks by probes."""

import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_ab.data.specs import BUILT_IN
from keras_ab.probes.by_text import TextProbe
from keras_ab.probes.catalogue import fits
from keras_ab.probes.catalogue import make_probe
from keras_ab.probes.decoder import DecoderProbe
from keras_ab.probes.fingerprint import source_fingerprint
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.measurement import classify
from keras_ab.probes.probe import Probe
from keras_ab.probes.results import Report
from keras_ab.probes.results import Result
from keras_ab.probes.source_features import source_features
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks import read_records
from keras_ab.probes.works import Work
from keras_ab.probes.works import check_probes
from keras_ab.probes.works import plan
from keras_ab.typing import PathLike

Progress = Callable[[str, int, int], Any]
"""Is told a stage, how much of it is done, and how much there is."""

HELD = 20000
"""Records of a built-in set that are kept in memory, not painted again."""


def evaluate(
    encoder: Any,
    tasks: Sequence[str | Task | Work] = ("classification",),
    probes: Sequence[str | Any] = ("decoder",),
    data: PathLike | None = None,
    test_data: PathLike | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    options: dict[str, Any] | None = None,
    batch_size: int = 64,
    cache: PathLike | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    views: int = 0,
) -> Report:
    """Measures a frozen encoder by every probe on every task that it fits.

    Features are computed once for all probes. The decoder learns all tasks
    that are given together; each other probe learns one, of one label a
    picture. Weights, statistics and random states of the encoder stay as they
    are.

    Args:
        encoder: What `keras_ab.probes.FrozenEncoder` takes.
        tasks: List of names (`keras_ab.probes.TASKS`), of `NAME=DATA` for
            another set than the built-in one, of `Task`s or of `Work`s.
        probes: List of names (`keras_ab.probes.PROBES`) or of probes.
        data: What the tasks are measured on that do not say it themselves, as
            `open_splits` takes it; None for their built-in sets.
        test_data: As `test` of `open_splits`, for `data`.
        train_size: Int, records to train on at most, as in `open_splits`.
        test_size: Int, records to test on at most.
        options: Dict, arguments of the function that opens `data`.
        batch_size: Int, images to a call of the encoder.
        cache: Folder that keeps features from one call to the next, and out
            of memory; or None.
        seed: Int, of probes and of what is held out.
        progress: Callable that is told a stage, how much of it is done, and
            how much there is (0 where this is unknown).
        views: Int, random crops of each training picture, mirrored half of
            the time, that the linear and the MAP probe learn from, where a
            part of a picture says as much as all of it; 0 for the crop that
            is tested on.

    Returns:
        A `Report`, in the order of tasks and then of probes.

    Raises:
        ValueError: If a name is unknown, a task and the probes do not fit,
            records lack what a task needs, or nothing can be read.

    Example:

    >>> report = keras_ab.probes.evaluate(
    ...     model, ["count", "depth"], ["knn"], train_size=40, test_size=20
    ... )
    >>> report.results[0].outcomes[0]
    # Outcome(name="accuracy", ...)
    >>> report.save("mine.json")
    """
    encoder = FrozenEncoder(encoder)
    chosen: list[Any] = [make_probe(probe, seed) for probe in probes]
    works = plan(
        tasks,
        data,
        test_data,
        options,
        train_size=train_size,
        test_size=test_size,
        seed=seed,
    )
    check_probes(works, chosen)
    if views < 0:
        raise ValueError(f"`views` must not be negative. Received: {views}")
    described = encoder.describe()
    bench = _Bench(encoder, batch_size, cache, progress or _silent)
    results = {}
    for work in works:
        for probe in chosen:
            if fits(probe, work.task) and not isinstance(probe, DecoderProbe):
                results[work.name, probe.name] = bench.alone(
                    work, probe, seed, views
                )
    for probe in chosen:
        if isinstance(probe, DecoderProbe):
            for result in bench.together(works, probe, seed):
                results[result.task, result.probe] = result
    if encoder.fingerprint() != described["fingerprint"]:
        raise RuntimeError(
            f"The weights of {encoder.name!r} changed while it was measured."
        )
    order = [(work.name, probe.name) for work in works for probe in chosen]
    return Report(described, [results[key] for key in order if key in results])


class _Bench:
    """An encoder, and what has been computed of it."""

    def __init__(
        self,
        encoder: FrozenEncoder,
        batch_size: int,
        cache: PathLike | None,
        progress: Progress,
    ):
        self.encoder = encoder
        self.batch_size = batch_size
        self.cache = cache
        self.progress = progress
        self._held: dict[Any, Any] = {}
        self._features: dict[Any, Any] = {}
        self._records: dict[Any, Any] = {}

    def alone(
        self, work: Work, probe: Any, seed: int, views: int = 0
    ) -> Result:
        """The result of a probe that learns one task."""
        started = time.perf_counter()
        ready, train, test, data = self.read(work, probe.needs)
        groups = None
        settings = {}
        if isinstance(probe, Probe):
            probe = probe.for_crop(work.task.crop)
            if probe.takes_views and work.task.crop == "center":
                settings["views"] = views
        if settings.get("views"):
            train, groups = self._views(work, probe.needs, train[1], views)
        self.progress(f"{work.name}: {probe.name}", 0, 0)
        if isinstance(probe, TextProbe):
            outcomes = probe.measure(ready, self.encoder, *test)
        else:
            outcomes = classify(ready, probe, self.encoder, train, test, groups)
        seconds = time.perf_counter() - started
        settings["probe"] = _settings(probe.config())
        settings["task"] = _said(ready)
        return Result(
            work.name,
            probe.name,
            outcomes,
            settings,
            data,
            work.task.crop,
            seed,
            seconds,
        )

    def together(
        self, works: Sequence[Work], probe: DecoderProbe, seed: int
    ) -> Iterator[Result]:
        """The results of a decoder that learns all tasks."""
        started = time.perf_counter()
        read = {work.name: self.read(work, "tokens") for work in works}
        names = list(read)
        for work in works:
            # A copy of its own, made by `prepare`.
            read[work.name][0].name = work.name
        tell = _Telling(self.progress, f"{probe.name} on {len(names)} tasks")
        probe.fit(
            [ready for ready, *_ in read.values()],
            {name: train[0] for name, (_, train, _, _) in read.items()},
            {name: train[1] for name, (_, train, _, _) in read.items()},
            callbacks=[tell],
        )
        share = (time.perf_counter() - started) / len(works)
        for work in works:
            started = time.perf_counter()
            ready, _, (tokens, records), data = read[work.name]
            self.progress(f"{work.name}: {probe.name} answers", 0, 0)
            predictions = probe.predict(ready, tokens, records, self.batch_size)
            outcomes = ready.evaluate(predictions, records)
            settings = {
                "probe": _settings(probe.describe()),
                "task": _said(ready),
                "beside": sorted(names),
            }
            yield Result(
                work.name,
                probe.name,
                outcomes,
                settings,
                data,
                work.task.crop,
                seed,
                share + time.perf_counter() - started,
            )

    def read(self, work: Work, output: str) -> tuple[Any, ...]:
        """A prepared task, what a probe needs of both splits, and a note."""
        parts, notes = [], {}
        for split in ("train", "test"):
            source = getattr(work.splits, split)
            stage = f"{work.name}: {split}"
            found = self._read_features(source, output, work.task.crop, stage)
            size = getattr(work.task, "needs_size", False)
            records = self._read_records(source, found.indices, size)
            parts.append((found.values, records))
            notes[split] = {
                "name": work.splits.name,
                "records": len(records),
                "skipped": len(found.skipped),
                "reasons": [
                    f"{bad['id']}: {bad['reason']}" for bad in found.skipped[:9]
                ],
                "fingerprint": source_fingerprint(source),
            }
        train, test = parts
        ready = work.task.prepare(train[1], work.splits.train)
        work.task.check(test[1])
        return ready, train, test, notes

    def _source(self, source):
        """A built-in set is painted once, and then held."""
        base = getattr(source, "source", source)
        painted = isinstance(base, tuple(BUILT_IN.values()))
        if not painted or len(source) > HELD:
            return source
        if id(source) not in self._held:
            self._held[id(source)] = (source.cache(), source)
        return self._held[id(source)][0]

    def _views(self, work, output, records, views):
        """Features of random crops, their records, and whose they are."""
        found = [
            self._read_features(
                work.splits.train,
                output,
                work.task.crop,
                f"{work.name}: crop {view} of train",
                view,
            )
            for view in range(1, views + 1)
        ]
        features = np.concatenate([part.values for part in found])
        # What can be read is the same each time.
        groups = np.concatenate([part.indices for part in found])
        return (features, list(records) * views), groups

    def _read_features(self, source, output, crop, stage, view=0):
        key = (id(source), output, crop, view)
        if key not in self._features:
            self.progress(stage, 0, len(source))
            self._features[key] = source_features(
                self.encoder,
                self._source(source),
                output,
                crop,
                self.batch_size,
                self.cache,
                lambda done, total: self.progress(stage, done, total),
                view,
            )
        return self._features[key]

    def _read_records(self, source, indices, size):
        key = (id(source), size)
        if key not in self._records:
            self._records[key] = read_records(
                self._source(source), indices, size
            )
        return self._records[key]


class _Telling(keras.callbacks.Callback):
    """Tells how far a fit has come."""

    def __init__(self, progress: Progress, stage: str):
        super().__init__()
        self.progress, self.stage = progress, stage

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.progress(self.stage, batch + 1, self.params.get("steps") or 0)


def _silent(stage, done, total):
    pass


def _settings(config):
    """Settings but for the seed, which stands by itself."""
    return {key: value for key, value in config.items() if key != "seed"}


def _said(task):
    """What a task says of itself, but for its name."""
    said = task.describe()
    return {key: value for key, value in said.items() if key != "name"}
