"""Average precision against pycocotools' own way through JSON files."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from keras_ab.probes.tasks.average_precision import SUMMARY
from keras_ab.probes.tasks.average_precision import Boxes
from keras_ab.probes.tasks.average_precision import CocoEvaluation


def official(truth, found, folder):
    """The twelve numbers of annotation and result files."""
    annotations, results = [], []
    for image, boxes in enumerate(truth):
        h, w = boxes.size
        crowd = (
            np.zeros(len(boxes.boxes)) if boxes.crowd is None else boxes.crowd
        )
        for (y0, x0, y1, x1), c, many in zip(boxes.boxes, boxes.classes, crowd):
            bbox = [x0 * w, y0 * h, x1 * w - x0 * w, y1 * h - y0 * h]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(c),
                    "bbox": bbox,
                    "area": bbox[2] * bbox[3],
                    "iscrowd": int(many),
                }
            )
    for image, boxes in enumerate(found):
        h, w = boxes.size
        rows = zip(boxes.boxes, boxes.classes, boxes.scores)
        for (y0, x0, y1, x1), c, score in rows:
            bbox = [x0 * w, y0 * h, x1 * w - x0 * w, y1 * h - y0 * h]
            results.append(
                {
                    "image_id": image,
                    "category_id": int(c),
                    "bbox": bbox,
                    "score": score,
                }
            )
    classes = {a["category_id"] for a in annotations + results}
    images = [{"id": i} for i in range(len(truth))]
    categories = [{"id": c} for c in sorted(classes)]
    content = {
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
    (folder / "truth.json").write_text(json.dumps(content))
    (folder / "found.json").write_text(json.dumps(results))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "truth.json"))
        evaluation = COCOeval(
            coco, coco.loadRes(str(folder / "found.json")), "bbox"
        )
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def pictures(seed, count=25, classes=4, crowds=False, ties=False):
    """Boxes, and what a mediocre detector finds of them."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(count):
        size = tuple(rng.integers(60, 700, 2).tolist())
        n = int(rng.integers(0, 7))
        sides = rng.uniform(0.02, 0.6, (n, 2))
        low = rng.random((n, 2)) * (1 - sides)
        boxes = np.concatenate([low, low + sides], 1)
        labels = rng.integers(0, classes, n)
        crowd = rng.random(n) < 0.2 if crowds else None
        truth.append(Boxes(boxes, labels, crowd=crowd, size=size))
        near = np.repeat(boxes, 2, 0) + rng.normal(0, 0.03, (2 * n, 4))
        extra = rng.random((3, 4)) * np.array([0.5, 0.5, 0.5, 0.5])
        extra[:, 2:] += extra[:, :2] + 0.01
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 0.01)
        here = np.concatenate([near, extra])
        # The class is sometimes another one, and sometimes one never there.
        said = np.concatenate([np.repeat(labels, 2), rng.integers(0, 9, 3)])
        wrong = rng.random(len(said)) < 0.2
        said[wrong] = rng.integers(0, classes, wrong.sum())
        scores = rng.random(len(said))
        scores = np.round(scores, 1) if ties else scores
        found.append(Boxes(here, said, scores=scores, size=size))
    return truth, found


@pytest.mark.parametrize("crowds", [False, True])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_random_detections(seed, crowds, ties, tmp_path):
    truth, found = pictures(seed, crowds=crowds, ties=ties)
    expected = official(truth, found, tmp_path)
    result = CocoEvaluation(truth, found).summary()
    assert list(result) == list(SUMMARY)
    expected = np.where(expected == -1, np.nan, expected)
    np.testing.assert_allclose(list(result.values()), expected, atol=1e-12)
    assert 0.02 < result["AP"] < 0.9


def test_more_than_a_hundred_in_a_picture(tmp_path):
    rng = np.random.default_rng(0)
    low = rng.random((150, 2)) * 0.9
    boxes = np.concatenate([low, low + 0.05], 1)
    zeros = np.zeros(150, int)
    truth = [Boxes(boxes, zeros, size=(500, 500))]
    found = [Boxes(boxes, zeros, scores=rng.random(150), size=(500, 500))]
    evaluation = CocoEvaluation(truth, found)
    expected = official(truth, found, tmp_path)
    result = list(evaluation.summary().values())
    np.testing.assert_allclose(result[0], expected[0], atol=1e-12)
    assert result[0] < 0.7
    indices = np.array([0])
    np.testing.assert_allclose(evaluation.resampled(indices), result[0])


def one(box, label=0, score=None):
    scores = None if score is None else np.array([score])
    return Boxes(np.array([box]), np.array([label]), scores, size=(100, 100))


def several(boxes, labels, scores):
    return Boxes(
        np.array(boxes), np.array(labels), np.array(scores), size=(100, 100)
    )


SQUARE = (0.2, 0.2, 0.6, 0.6)


def test_crafted():
    right = CocoEvaluation([one(SQUARE)], [one(SQUARE, 0, 0.5)]).summary()
    for name in ("AP", "AP50", "AR100", "AP_medium"):
        assert right[name] == pytest.approx(1.0)
    # 40 by 40 pixels are of medium size.
    assert np.isnan(right["AP_small"])
    # An overlap of 27/40 is right at 0.5 to 0.65, four of ten.
    narrow = (0.2, 0.2, 0.6, 0.47)
    part = CocoEvaluation([one(SQUARE)], [one(narrow, 0, 0.5)]).summary()
    assert part["AP50"] == pytest.approx(1.0) and part["AP75"] == 0.0
    assert part["AP"] == pytest.approx(0.4)
    # A false alarm before it halves precision, one after it does not.
    far = (0.7, 0.7, 0.9, 0.9)
    for scores, expected in (((0.9, 0.5), 0.5), ((0.4, 0.5), 1.0)):
        found = several([far, SQUARE], [0, 0], scores)
        result = CocoEvaluation([one(SQUARE)], [found]).summary()
        assert result["AP"] == pytest.approx(expected)
    # The same thing twice is found once.
    found = several([SQUARE, SQUARE], [0, 0], [0.9, 0.8])
    result = CocoEvaluation([one(SQUARE)], [found]).summary()
    assert result["AP"] == pytest.approx(1.0)
    # Another class is not found.
    result = CocoEvaluation([one(SQUARE)], [one(SQUARE, 1, 0.5)]).summary()
    assert result["AP"] == 0.0 and result["AR100"] == 0.0


def test_nothing_found_and_nothing_there():
    none = Boxes(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
    assert CocoEvaluation([one(SQUARE)], [none]).summary()["AP"] == 0.0
    empty = Boxes(np.zeros((0, 4)), np.zeros(0, int))
    evaluation = CocoEvaluation([empty], [one(SQUARE, 0, 0.9)])
    assert np.isnan(evaluation.summary()["AP"])
    assert np.isnan(evaluation.resampled(np.array([0])))
    with pytest.raises(ValueError, match="same pictures"):
        CocoEvaluation([empty], [])


@pytest.mark.parametrize("crowds", [False, True])
def test_resampled_pictures_are_evaluated_pictures(crowds, tmp_path):
    truth, found = pictures(5, crowds=crowds)
    evaluation = CocoEvaluation(truth, found)
    summary = evaluation.summary()
    everything = np.arange(len(truth))
    for threshold, name in ((None, "AP"), (0.5, "AP50"), (0.75, "AP75")):
        result = evaluation.resampled(everything, threshold)
        np.testing.assert_allclose(result, summary[name], atol=1e-12)
    drawn = np.random.default_rng(0).integers(len(truth), size=len(truth))
    again = official(
        [truth[i] for i in drawn], [found[i] for i in drawn], tmp_path
    )
    np.testing.assert_allclose(evaluation.resampled(drawn), again[0], atol=1e-9)
    assert abs(again[0] - summary["AP"]) > 1e-3


def test_classes_have_their_own():
    truth = several([SQUARE, (0.7, 0.7, 0.9, 0.9)], [0, 3], [1, 1])
    found = several([SQUARE], [0], [0.5])
    result = CocoEvaluation([truth], [found])
    assert result.of_classes() == {0: pytest.approx(1.0), 3: 0.0}
    assert result.summary()["AP"] == pytest.approx(0.5)
