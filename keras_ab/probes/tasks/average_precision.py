"""Average precision of boxes, by pycocotools."""

import contextlib
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

SUMMARY = (
    "AP",
    "AP50",
    "AP75",
    "AP_small",
    "AP_medium",
    "AP_large",
    "AR1",
    "AR10",
    "AR100",
    "AR_small",
    "AR_medium",
    "AR_large",
)
"""What COCO's evaluation sums up, in its order."""

MISSING = -1.0
"""What COCO's evaluation says where there is nothing to find."""


@dataclasses.dataclass
class Boxes:
    """The boxes of one picture: those that are there, or those found.

    Args:
        boxes: Floats of shape `(n, 4)`, `(ymin, xmin, ymax, xmax)`,
            normalised.
        classes: Ints of shape `(n,)`.
        scores: Floats of shape `(n,)`, for what was found.
        crowd: Bools of shape `(n,)`, which are around a crowd, for what is
            there; None for none.
        areas: Floats of shape `(n,)`, the areas of what is there in pixels;
            None for those of the boxes.
        size: `(height, width)` of the picture in pixels.
    """

    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray | None = None
    crowd: np.ndarray | None = None
    areas: np.ndarray | None = None
    size: tuple[int, int] = (1, 1)

    def in_pixels(self) -> np.ndarray:
        """`(x, y, width, height)` in pixels, as COCO has it."""
        boxes = np.asarray(self.boxes, "float64").reshape(-1, 4)
        y0, x0, y1, x1 = (boxes * np.tile(self.size, 2)).T
        return np.stack([x0, y0, x1 - x0, y1 - y0], 1)


class CocoEvaluation:
    """COCO's evaluation of what was found in some pictures.

    Matching, precision and recall are pycocotools'. What it keeps of its
    matches gives the average precision of resampled pictures too, at no
    second matching.

    Args:
        truth: List of `Boxes`, one a picture.
        found: List of `Boxes` with scores, one a picture.

    Raises:
        ImportError: If pycocotools is not installed.

    Example:

    >>> from keras_ab.probes.tasks.average_precision import Boxes
    >>> box, labels = np.array([[0.1, 0.1, 0.5, 0.5]]), np.array([0])
    >>> found = Boxes(box, labels, scores=np.array([0.9]))
    >>> evaluation = keras_ab.probes.tasks.CocoEvaluation(
    ...     [Boxes(box, labels)], [found]
    ... )
    >>> evaluation.summary()["AP"]
    # 1.0

    Reference:
        Lin et al. 2014; pycocotools.cocoeval.
    """

    def __init__(self, truth: Sequence[Boxes], found: Sequence[Boxes]):
        if len(truth) != len(found):
            raise ValueError(
                "`truth` and `found` must be of the same pictures. Received: "
                f"{len(truth)} and {len(found)}"
            )
        with contextlib.redirect_stdout(io.StringIO()):
            self._run(truth, found)
        self.count = len(truth)
        self._curves = self._matches()

    def _run(self, truth, found):
        try:
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
        except ImportError as error:
            raise ImportError(
                "Detection is judged by pycocotools. Install it with `pip "
                "install keras_ab[probes]`."
            ) from error
        classes = sorted(
            {int(c) for boxes in (*truth, *found) for c in boxes.classes}
        )
        coco = COCO()
        coco.dataset = _dataset(truth, classes)
        coco.createIndex()
        results = COCO()
        results.dataset = _dataset(found, classes)
        results.createIndex()
        self._evaluation = COCOeval(coco, results, "bbox")
        self._evaluation.evaluate()
        self._evaluation.accumulate()
        self._evaluation.summarize()

    def summary(self) -> dict[str, float]:
        """The twelve numbers of COCO, by the names in `SUMMARY`.

        A number is NaN where there is nothing of its kind to find.
        """
        stats = np.asarray(self._evaluation.stats, "float64")
        stats = np.where(stats == MISSING, np.nan, stats)
        return dict(zip(SUMMARY, stats.tolist()))

    def of_classes(self) -> dict[int, float]:
        """AP of each class that there is something of."""
        precision = self._evaluation.eval["precision"][:, :, :, 0, 2]
        return {
            int(number): float(values.mean())
            for number, values in zip(
                self._evaluation.params.catIds,
                precision.transpose(2, 0, 1),
            )
            if (values > MISSING).all()
        }

    def resampled(
        self, indices: np.ndarray, threshold: float | None = None
    ) -> float:
        """Average precision of pictures that are drawn with replacement.

        Args:
            indices: Ints, which pictures, some of them several times.
            threshold: Float, the overlap asked for, such as 0.5; None for the
                mean over 0.5, 0.55, ..., 0.95.

        Returns:
            Float, what pycocotools gives for these pictures (but for the
            order of equal scores in different pictures); NaN if there is
            nothing in them.
        """
        weights = np.bincount(indices, minlength=self.count).astype("float64")
        found = []
        for curve in self._curves:
            there = float(weights @ curve.there)
            if there:
                hits, misses = curve.rows(self._thresholds(threshold))
                own = weights[curve.image]
                found.append(_average(hits, misses, own, there))
        return float(np.mean(found)) if found else float("nan")

    def _thresholds(self, threshold):
        overlaps = self._evaluation.params.iouThrs
        if threshold is None:
            return np.arange(len(overlaps))
        return np.flatnonzero(np.isclose(overlaps, threshold))

    def _matches(self):
        """What pycocotools matched, a curve for each class."""
        params = self._evaluation.params
        images, areas = len(params.imgIds), len(params.areaRng)
        curves = []
        for k in range(len(params.catIds)):
            start = k * areas * images  # The first area is all of them.
            rows = self._evaluation.evalImgs[start : start + images]
            curves.append(_Curve.of(rows, params.maxDets[-1]))
        return [curve for curve in curves if curve is not None]


@dataclasses.dataclass
class _Curve:
    """What was found of one class, the most certain first.

    Args:
        image: Ints of shape `(n,)`, the picture of each.
        hit: Bools of shape `(thresholds, n)`.
        ignored: Bools of shape `(thresholds, n)`.
        there: Floats of shape `(pictures,)`, how many there are.
    """

    image: np.ndarray
    hit: np.ndarray
    ignored: np.ndarray
    there: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Any], most: int) -> "_Curve | None":
        """The curve of what pycocotools says of each picture."""
        there = np.array(
            [0 if row is None else np.sum(row["gtIgnore"] == 0) for row in rows]
        )
        if not there.any():
            return None
        kept = [(i, row) for i, row in enumerate(rows) if row is not None]
        scores = np.concatenate([row["dtScores"][:most] for _, row in kept])
        order = np.argsort(-scores, kind="mergesort")
        image = np.concatenate(
            [np.full(len(row["dtScores"][:most]), i) for i, row in kept]
        ).astype(int)

        def columns(key):
            return np.concatenate(
                [row[key][:, :most] for _, row in kept], axis=1
            )[:, order].astype(bool)

        return cls(
            image[order],
            columns("dtMatches"),
            columns("dtIgnore"),
            there.astype("float64"),
        )

    def rows(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hits and false alarms at some thresholds."""
        hit, ignored = self.hit[thresholds], self.ignored[thresholds]
        return hit & ~ignored, ~hit & ~ignored


RECALLS = np.linspace(0.0, 1.0, 101)
"""Recalls at which COCO reads precision."""


def _average(hits, misses, weights, there):
    """Mean over thresholds of precision at 101 recalls."""
    found = np.cumsum(hits * weights, axis=1)
    wrong = np.cumsum(misses * weights, axis=1)
    precision = found / (found + wrong + np.spacing(1))
    # The best precision at this recall or a larger one.
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = found / there
    means = []
    for p, r in zip(precision, recall):
        at = np.searchsorted(r, RECALLS, side="left")
        means.append(np.append(p, 0.0)[np.minimum(at, len(p))].mean())
    return float(np.mean(means))


def _dataset(pictures, classes):
    """Pictures and boxes in COCO's format."""
    images = []
    annotations: list[dict[str, Any]] = []
    for image, boxes in enumerate(pictures):
        height, width = boxes.size
        images.append({"id": image, "height": height, "width": width})
        for i, (box, number) in enumerate(
            zip(boxes.in_pixels(), boxes.classes)
        ):
            area = box[2] * box[3]
            if boxes.areas is not None:
                area = boxes.areas[i]
            crowd = boxes.crowd is not None and bool(boxes.crowd[i])
            annotation = {
                # From 1 on: to pycocotools, 0 is no match.
                "id": len(annotations) + 1,
                "image_id": image,
                "category_id": int(number),
                "bbox": box.tolist(),
                "area": float(area),
                "iscrowd": int(crowd),
            }
            if boxes.scores is not None:
                annotation["score"] = float(boxes.scores[i])
            annotations.append(annotation)
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": c, "name": str(c)} for c in classes],
    }
