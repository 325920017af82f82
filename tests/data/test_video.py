"""The built-in clips keep their promises."""

import collections
import itertools

import numpy as np
import pytest

from keras_ab import data
from keras_ab.data import scenes
from keras_ab.data import video
from keras_ab.data.video.captions import write_action_captions
from keras_ab.data.video.clips import paint_frame
from keras_ab.data.video.clips import sample_clip

CLIPS, FRAMES = 100, 8


@pytest.fixture(scope="module")
def source():
    return data.Video(clips=CLIPS, frames=FRAMES)


@pytest.fixture(scope="module")
def middles(source):
    middle = source.middle_frames()
    return [middle[i] for i in range(len(middle))]


def clips(count, start=0):
    for seed in range(start, start + count):
        yield sample_clip(np.random.default_rng(seed))


def test_a_frame_is_a_function_of_its_index(source, middles):
    again = data.Video(clips=CLIPS + 5, frames=FRAMES)
    for clip in (7, 3, 99):
        record = again[clip * FRAMES + FRAMES // 2]
        np.testing.assert_array_equal(record["image"], middles[clip]["image"])
        assert record["text"] == middles[clip]["text"]
    other = data.Video(clips=4, frames=FRAMES, split="test").middle_frames()
    assert (other[0]["image"] != middles[0]["image"]).any()


def test_records(source, middles):
    assert set(middles[0]) == source.fields
    for number, record in enumerate(middles):
        assert (record["clip"], record["frame"]) == (number, FRAMES // 2)
        assert record["image"].shape == (96, 96, 3)
        assert record["image"].dtype == np.uint8
        boxes = record["boxes"]
        assert boxes.shape == (len(record["classes"]), 4)
        assert (boxes >= 0).all() and (boxes <= 1).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        # The noun is seen, and not only just.
        assert record["label"] == record["noun"] == record["classes"][0]
        assert (boxes[0, 2:] - boxes[0, :2]).max() > 0.2


def test_frames_of_a_clip_belong_together(source):
    for clip in (0, 5, 11):
        records = [source[clip * FRAMES + f] for f in range(FRAMES)]
        for key in ("verb", "noun", "clip", "scene_type"):
            assert len({record[key] for record in records}) == 1
        assert [r["frame"] for r in records] == list(range(FRAMES))
        assert len({record["id"] for record in records}) == FRAMES
        images = np.stack([r["image"] for r in records]).astype("float32")
        near = np.abs(images[1:] - images[:-1]).mean()
        far = np.abs(images[-1] - images[0]).mean()
        other = source[(clip + 1) * FRAMES]["image"].astype("float32")
        assert near < far < np.abs(images[0] - other).mean()


def test_neighbouring_views_overlap():
    for clip in clips(100):
        views = [clip.camera.view((f + 0.5) / 16) for f in range(16)]
        for (t0, l0, s0), (t1, l1, s1) in itertools.pairwise(views):
            height = min(t0 + s0, t1 + s1) - max(t0, t1)
            width = min(l0 + s0, l1 + s1) - max(l0, l1)
            assert height * width / max(s0, s1) ** 2 > 0.9
        assert np.ptp(np.array(views), axis=0).max() > 0.02


def test_nouns_depend_on_scenes_and_verbs_on_nouns():
    pairs, verbs = set(), collections.Counter()
    for clip in clips(600):
        name = scenes.CLASSES[clip.layout.things[0].index]
        kind = scenes.SCENE_TYPES[clip.layout.scene_type]
        assert name in {slot.name for slot in kind.slots}
        verb = video.VERBS[clip.action.verb]
        pairs.add((verb, name))
        verbs[verb] += 1
    expected = {(v, n) for n, uses in video.USES.items() for v in uses}
    assert pairs <= expected and len(pairs) > 0.9 * len(expected)
    assert set(verbs) == set(video.VERBS)
    assert max(verbs.values()) < 3.5 * min(verbs.values())


def test_verbs_are_what_they_say():
    seen = set()
    for clip in clips(400):
        verb = video.VERBS[clip.action.verb]
        seen.add(verb)
        before = clip.layout.things[0]
        (start, *_), _ = clip.things(0.0)
        (now, *_), (_, hand) = clip.things(0.5)
        (end, *_), _ = clip.things(1.0)
        y0, x0, y1, x1 = now.box()
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        if verb == "lift":
            assert end.y < now.y < before.y - 0.05 and hand.y > y1
        elif verb == "drop":
            assert start.y < now.y < end.y == before.y and hand.y < y0
        elif verb == "push":
            assert (now.x - start.x) * (middle_x - hand.x) > 0
            assert (end.x - now.x) * (middle_x - hand.x) > 0
        elif verb == "pull":
            assert (now.x - start.x) * (hand.x - middle_x) > 0
        elif verb == "turn":
            assert abs(now.angle - before.angle) > 0.7
            assert np.hypot(now.x - before.x, now.y - before.y) == 0
        elif verb == "touch":
            assert now == before
            assert np.hypot(hand.x - middle_x, hand.y - middle_y) < 0.5
        else:
            assert verb == "hold" and now.size > 1.1 * before.size
            assert hand.y > middle_y
    assert seen == set(video.VERBS)


def test_what_stands_on_a_thing_goes_with_it():
    found = 0
    for clip in clips(600):
        before = clip.layout.things
        verb = video.VERBS[clip.action.verb]
        on_it = [t.order for t in before if t.support == 0]
        if verb not in ("push", "pull") or not on_it:
            continue
        found += 1
        now, _ = clip.things(0.9)
        shift = now[0].x - before[0].x
        assert abs(shift) > 0.01
        for order in on_it:
            np.testing.assert_allclose(now[order].x - before[order].x, shift)
    assert found > 2


def test_boxes_are_around_the_noun():
    # Another colour changes pixels where the box is, and nowhere else.
    for seed in range(12):
        rng = np.random.default_rng(seed)
        clip = sample_clip(rng)
        state = rng.bit_generator.state
        images = []
        for colour in (0, 5):
            clip.layout.things[0].colour = colour
            rng.bit_generator.state = state
            noise = np.random.default_rng(0)
            image, _, visible = paint_frame(clip, 0.5, 96, rng, noise)
            images.append(image)
        rows, columns = np.nonzero((images[0] != images[1]).any(-1))
        y0, x0, y1, x1 = visible[0][1]
        assert rows.min() >= y0 - 2 and rows.max() <= y1 + 1
        assert columns.min() >= x0 - 2 and columns.max() <= x1 + 1
        assert rows.min() <= y0 + 1 and columns.max() >= x1 - 2


def test_captions_name_the_action(middles):
    colours = list(scenes.COLOURS)
    for record in middles:
        verb = video.VERBS[record["verb"]]
        noun = scenes.CLASSES[record["noun"]]
        colour = colours[record["colours"][0]]
        first, second, *rest = record["text"]
        subject, doing, _, told, last = first.split()
        assert (subject, told, last) == ("someone", colour, noun)
        assert doing in (verb + "s", verb + "es")
        assert doing in second and second.endswith(noun)
        names = {scenes.CLASSES[c] for c in record["classes"]}
        for caption in rest:
            words = set(caption.replace(",", " ").split())
            assert words & set(scenes.CLASSES) <= names


def test_subsets_by_clip(source):
    some = source.of_clips([4, 2])
    assert len(some) == 2 * FRAMES
    assert some[0]["clip"] == 4 and some[FRAMES + 3]["clip"] == 2
    assert some[FRAMES + 3]["frame"] == 3
    assert len(source.of_clips(slice(0, 3))) == 3 * FRAMES
    with pytest.raises(ValueError, match="Received"):
        source.of_clips([CLIPS])
    single = data.Video(clips=3, frames=1).middle_frames()
    assert [single[i]["clip"] for i in range(len(single))] == [0, 1, 2]


def test_it_feeds_a_pipeline(source, middles):
    batches = data.value_batches(source.middle_frames(), 24, batch_size=4)
    batch = next(iter(batches.as_numpy_iterator()))["value"]
    assert batch["image"].shape == (4, 4, 24, 24, 3)
    cached = source.of_clips([5]).cache()
    assert cached.class_names == source.class_names
    np.testing.assert_array_equal(
        cached[FRAMES // 2]["image"], middles[5]["image"]
    )
    assert cached.column("frame").tolist() == list(range(FRAMES))


@pytest.mark.parametrize(
    "config", [{"split": "val"}, {"clips": 0}, {"frames": 0}]
)
def test_wrong_arguments(config):
    with pytest.raises(ValueError, match="Received"):
        data.Video(**config)


def test_options():
    source = data.Video(clips=2, frames=3, image_size=32, captions=False)
    assert source[5]["image"].shape == (32, 32, 3)
    assert "text" not in source[0] and "text" not in source.fields
    with pytest.raises(IndexError):
        source[6]


def test_a_view_of_nothing_still_tells_the_action():
    rng = np.random.default_rng(0)
    main = sample_clip(rng).layout.things[0]
    told = write_action_captions(0, [], main, rng)
    noun = scenes.CLASSES[main.index]
    assert all(caption.endswith(noun) for caption in told)
