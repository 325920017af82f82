"""Augmentations: torchvision's and PIL's pixels, and their probabilities."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from PIL import ImageEnhance
from PIL import ImageFilter
from PIL import ImageOps

from keras_ab.data import augmentations
from tests.data.test_crops import photo
from tests.reference import torchvision_color

FACTORS = (0.0, 0.2, 0.7, 1.0, 1.3, 1.8)
COLORS = ("brightness", "contrast", "saturation")


def noise(rows=23, columns=31, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (rows, columns, 3)).astype("uint8")


def corners():
    """Black, white, the primaries and greys: where hue is undefined."""
    values = list(itertools.product((0, 1, 127, 254, 255), repeat=3))
    return np.array(values, "uint8").reshape(25, 5, 3)


IMAGES = {"photo": photo(40, 56), "noise": noise(), "corners": corners()}


def error(a, b):
    return abs(np.asarray(a).astype(int) - np.asarray(b).astype(int)).max()


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("name", COLORS)
def test_factors_are_torchvisions(name, image):
    ours = getattr(augmentations, f"adjust_{name}")
    theirs = getattr(torchvision_color, f"adjust_{name}")
    for factor in FACTORS:
        assert error(ours(image, factor), theirs(image, factor)) <= 1
    assert error(ours(image, 1.0), image) == 0


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("shift", [-0.5, -0.2, -0.03, 0.0, 0.1, 0.37, 0.5])
def test_hue_is_torchvisions(image, shift):
    ours = augmentations.adjust_hue(image, shift)
    assert error(ours, torchvision_color.adjust_hue(image, shift)) <= 1
    if shift == 0:
        assert error(ours, image) == 0


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_colors_are_pils(image):
    picture = Image.fromarray(image)
    theirs = {
        "brightness": ImageEnhance.Brightness(picture),
        "contrast": ImageEnhance.Contrast(picture),
        "saturation": ImageEnhance.Color(picture),
    }
    for name, factor in itertools.product(COLORS, FACTORS):
        ours = getattr(augmentations, f"adjust_{name}")(image, factor)
        assert error(ours, theirs[name].enhance(factor)) <= 1
    grey = picture.convert("L").convert("RGB")
    assert error(augmentations.grayscale(image), grey) == 0
    inverted = ImageOps.solarize(picture, 128)
    assert error(augmentations.solarize(image), inverted) == 0


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_grey_and_solarisation_are_torchvisions(image):
    grey = torchvision_color.to_grayscale(image).repeat(3, -1)
    assert error(augmentations.grayscale(image), grey) <= 1
    for threshold in (0, 100, 128, 255, 256):
        ours = augmentations.solarize(image, threshold)
        theirs = torchvision_color.solarize(image, threshold)
        assert error(ours, theirs) == 0


@pytest.mark.parametrize("image", [photo(40, 56), noise()], ids="ab")
@pytest.mark.parametrize("size, sigma", [(1, 1.0), (5, 0.1), (5, 2), (23, 2)])
def test_blur_is_torchvisions(image, size, sigma):
    ours = augmentations.gaussian_blur(image, (0, 1), size, (sigma, sigma))
    theirs = torchvision_color.gaussian_blur(image, size, sigma)
    assert error(ours, theirs) <= 1
    if size == 1:
        assert error(ours, image) == 0


def over_seeds(function, count):
    """What a function of a seed gives for many of them."""
    numbers = tf.data.Dataset.range(count)
    data = numbers.map(lambda i: function(tf.stack([7, i]))).batch(count)
    return next(data.as_numpy_iterator())


def test_blur_is_pils():
    # PIL puts three boxes in the place of a Gaussian.
    image = photo(60, 80)
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(1.5))
    ours = augmentations.gaussian_blur(image, (0, 1), 23, (1.5, 1.5))
    difference = np.asarray(blurred, float) - ours.numpy()
    inner = difference[8:-8, 8:-8]
    assert abs(inner).mean() < 1 and abs(difference).mean() < 1.5


def test_the_blurs_width_is_uniform():
    dot = np.zeros((9, 9, 3), "uint8")
    dot[4, 4] = 255

    peaks = over_seeds(
        lambda seed: augmentations.gaussian_blur(dot, seed, 9, (0.4, 2.0)), 200
    )[:, 4, 4, 0]
    ends = [
        torchvision_color.gaussian_blur(dot, 9, sigma)[4, 4, 0]
        for sigma in (2.0, 1.2, 0.4)
    ]
    assert ends[0] <= peaks.min() and peaks.max() <= ends[2]
    # Half of the draws lie below the middle.
    assert 75 < (peaks >= ends[1]).sum() < 125


def orders(image, factors):
    """The image after each order of the four adjustments."""
    steps = [
        (torchvision_color.adjust_brightness, factors[0]),
        (torchvision_color.adjust_contrast, factors[1]),
        (torchvision_color.adjust_saturation, factors[2]),
        (torchvision_color.adjust_hue, factors[3]),
    ]
    results = []
    for order in itertools.permutations(steps):
        result = image
        for function, factor in order:
            result = function(result, factor)
        results.append(result.astype(int))
    return np.stack(results)


def test_jitter_comes_in_every_order():
    image = photo(10, 12)
    strengths = {"brightness": 0.8, "contrast": 0.8, "saturation": 0.8}

    def jitter(seed):
        result = augmentations.color_jitter(
            image, seed, **strengths, hue=0.2, probability=1.0
        )
        draws = tf.random.stateless_uniform((4,), tf.random.split(seed, 3)[1])
        return result, draws

    seen, worst = [], []
    low, high = np.array([[0.2, 0.2, 0.2, -0.2], [1.8, 1.8, 1.8, 0.2]])
    for result, draws in zip(*over_seeds(jitter, 60)):
        factors = low + (high - low) * draws
        errors = abs(orders(image, factors) - result).mean((1, 2, 3))
        seen.append(int(errors.argmin()))
        worst.append(errors.min())
    # It is always one of the 24 orders. A rounding here, a cut-off there can
    # differ by 1 a step, which later steps enlarge by up to 1.8.
    assert max(worst) < 2.0 and np.median(worst) < 0.5
    # 60 draws miss 2 of 24 on average.
    assert len(set(seen)) >= 17


def share(function, count=400):
    """How often a function of a seed changes the photo."""
    image = photo(20, 24)
    changed = over_seeds(
        lambda seed: tf.reduce_any(function(image, seed) != image), count
    )
    return changed.mean()


def only(**kwargs):
    none = dict.fromkeys(("flip", "jitter", "grayscale", "blur"), 0.0)
    return augmentations.Augmentation(**{**none, **kwargs})


@pytest.mark.parametrize(
    "part", ["flip", "jitter", "grayscale", "blur", "solarize"]
)
def test_probabilities(part):
    sigma = (1.0, 2.0)
    assert abs(share(only(**{part: 0.3}, sigma=sigma)) - 0.3) < 0.08
    assert share(only(**{part: 1.0}, sigma=sigma), 20) == 1
    assert share(only(), 5) == 0


def test_flips_mirror():
    image = noise()
    flipped = augmentations.random_flip(image, (0, 1), probability=1.0)
    np.testing.assert_array_equal(flipped, image[:, ::-1])


PUBLISHED = {
    # jitter: brightness, contrast, saturation, hue; grey; blur; solarise.
    "simclr": (0.8, 0.8, 0.8, 0.2, 0.2, 0.5, 0.0),
    "slip": (0.4, 0.4, 0.4, 0.1, 0.2, 0.5, 0.0),
    "clip_aug": (0.4, 0.4, 0.4, 0.1, 0.2, 0.5, 0.0),
    "dino_global_1": (0.4, 0.4, 0.2, 0.1, 0.2, 1.0, 0.0),
    "dino_global_2": (0.4, 0.4, 0.2, 0.1, 0.2, 0.1, 0.2),
    "dino_local": (0.4, 0.4, 0.2, 0.1, 0.2, 0.5, 0.0),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings(name):
    augmentation = getattr(augmentations, name)()
    assert (
        augmentation.brightness,
        augmentation.contrast,
        augmentation.saturation,
        augmentation.hue,
        augmentation.grayscale,
        augmentation.blur,
        augmentation.solarize,
    ) == PUBLISHED[name]
    assert (augmentation.flip, augmentation.jitter) == (0.5, 0.8)
    assert augmentation.sigma == (0.1, 2.0)


@pytest.mark.parametrize(
    "side, span", [(224, 23), (96, 9), (48, 5), (100, 11), (8, 1)]
)
def test_the_kernel_grows_with_the_image(side, span):
    image = photo(side, side + 3)
    augment = only(blur=1.0, sigma=(2.0, 2.0))
    expected = torchvision_color.gaussian_blur(image, span, 2.0)
    assert error(augment(image, (0, 1)), expected) <= 1


def test_augmentations_serialise():
    augment = augmentations.Compose(
        [
            augmentations.dino_global_2(),
            augmentations.from_layer(keras.layers.RandomBrightness(0.3)),
        ]
    )
    config = keras.saving.serialize_keras_object(augment)
    again = keras.saving.deserialize_keras_object(config)
    assert again.augmentations[0] == augmentations.dino_global_2()
    image = noise()
    np.testing.assert_array_equal(augment(image, (1, 2)), again(image, (1, 2)))


def run(function, count=6):
    """Images by a parallel pipeline, in order."""
    image = photo(32, 32)
    numbers = tf.data.Dataset.range(count)
    data = numbers.map(
        lambda i: function(image, tf.stack([i, i])), num_parallel_calls=2
    )
    assert data.element_spec.shape == (32, 32, 3)
    assert data.element_spec.dtype == tf.uint8
    return np.stack(list(data.as_numpy_iterator()))


def test_a_seed_is_all_that_counts():
    augment = augmentations.simclr()
    first = run(augment)
    np.testing.assert_array_equal(first, run(augment))
    assert len({image.tobytes() for image in first}) == 6
    eager = augment(photo(32, 32), tf.constant([3, 3], "int64"))
    np.testing.assert_array_equal(eager, first[3])


LAYERS = {
    "seeded": lambda: keras.layers.RandomBrightness(0.3),
    "made of others": lambda: keras.layers.RandomColorJitter(
        brightness_factor=0.3, hue_factor=0.2
    ),
    "with a state": lambda: keras.layers.GaussianNoise(0.9),
    "without chance": lambda: keras.layers.AutoContrast(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_keras_layer_becomes_a_function_of_the_seed(name):
    augment = augmentations.from_layer(LAYERS[name]())
    first = run(augment)
    np.testing.assert_array_equal(first, run(augment))
    different = len({image.tobytes() for image in first})
    assert different == (1 if name == "without chance" else 6)
    # Another layer of the same kind has no memory of its own either.
    again = augmentations.from_layer(LAYERS[name]())
    np.testing.assert_array_equal(first, run(again))


def test_a_keras_layers_pixels():
    brighten = keras.layers.RandomBrightness((0.2, 0.2))
    image = photo(32, 32)
    expected = np.clip(image.astype(int) + 51, 0, 255)
    result = augmentations.from_layer(brighten)(image, (0, 1))
    np.testing.assert_array_equal(result, expected)


def test_a_layer_in_a_list():
    quiet = augmentations.from_layer(keras.layers.Rescaling(0.5))
    alone = run(augmentations.Compose([augmentations.simclr()]))
    both = run(augmentations.Compose([augmentations.simclr(), quiet]))
    assert abs(both.astype(float) - alone / 2.0).max() <= 0.5


class OutOfReach(keras.layers.Layer):
    """Draws from TensorFlow's own state, as KerasCV's layers do."""

    def call(self, images):
        return images + tf.random.uniform((), 0, 50)


def test_state_out_of_reach_is_refused():
    with pytest.raises(ValueError, match="OutOfReach.*reproducible=False"):
        run(augmentations.from_layer(OutOfReach()))
    images = run(augmentations.from_layer(OutOfReach(), reproducible=False))
    assert len({image.tobytes() for image in images}) > 1


WRONG = {
    "flip": {"flip": 1.5},
    "blur": {"blur": -0.1},
    "hue": {"hue": 0.6},
    "brightness": {"brightness": -1.0},
    "sigma": {"sigma": (0.0, 1.0)},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_numbers(name):
    with pytest.raises(ValueError, match=f"`{name}` must.*Received"):
        dataclasses.replace(augmentations.simclr(), **WRONG[name])


def test_wrong_arguments():
    with pytest.raises(ValueError, match="odd positive int.*Received: 4"):
        augmentations.gaussian_blur(noise(), (0, 1), 4)
    with pytest.raises(ValueError, match="callables.*Received: 'flip'"):
        augmentations.Compose(["flip"])
    with pytest.raises(ValueError, match="Keras layer.*Received: str"):
        augmentations.from_layer("RandomFlip")
    unknown = tf.function(
        lambda x: only(blur=1.0)(x, (0, 1)),
        input_signature=[tf.TensorSpec((None, None, 3), "uint8")],
    )
    with pytest.raises(ValueError, match="augment after resizing"):
        unknown.get_concrete_function()
