"""torchvision's colour functions on uint8 tensors, in NumPy.

From the documented definitions; values are cut off, not rounded, on the way
back to uint8, except after blur.
"""

import numpy as np


def to_grayscale(image):
    r, g, b = np.moveaxis(image.astype("float64"), -1, 0)
    return np.floor(0.2989 * r + 0.587 * g + 0.114 * b)[..., None]


def blend(image, other, factor):
    mixed = factor * image.astype("float64") + (1 - factor) * other
    return np.clip(mixed, 0, 255).astype("uint8")


def adjust_brightness(image, factor):
    return blend(image, np.zeros_like(image), factor)


def adjust_contrast(image, factor):
    return blend(image, to_grayscale(image).mean(), factor)


def adjust_saturation(image, factor):
    return blend(image, to_grayscale(image), factor)


def adjust_hue(image, shift):
    hue, saturation, value = rgb_to_hsv(image / 255.0)
    rgb = hsv_to_rgb((hue + shift) % 1.0, saturation, value)
    return (rgb * 255.999).astype("uint8")


def rgb_to_hsv(rgb):
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low
    flat = spread == 0
    saturation = spread / np.where(flat, 1, np.where(high == 0, 1, high))
    r, g, b = np.moveaxis(rgb, -1, 0)
    safe = np.where(flat, 1, spread)
    hue = np.select(
        [flat, high == r, high == g],
        [0 * r, (g - b) / safe, 2 + (b - r) / safe],
        4 + (r - g) / safe,
    )
    return (hue / 6) % 1.0, saturation, high


def hsv_to_rgb(hue, saturation, value):
    sector = np.floor(hue * 6)
    f = hue * 6 - sector
    p = value * (1 - saturation)
    q = value * (1 - saturation * f)
    t = value * (1 - saturation * (1 - f))
    sector = sector.astype(int) % 6
    red = np.choose(sector, [value, q, p, p, t, value])
    green = np.choose(sector, [t, value, value, q, p, p])
    blue = np.choose(sector, [p, p, t, value, value, q])
    return np.clip(np.stack([red, green, blue], -1), 0, 1)


def gaussian_blur(image, kernel_size, sigma):
    half = kernel_size // 2
    offsets = np.linspace(-half, half, kernel_size)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    padding = [(half, half), (half, half), (0, 0)]
    padded = np.pad(image.astype("float64"), padding, mode="reflect")
    rows, columns = image.shape[:2]
    blurred = sum(w * padded[i : i + rows] for i, w in enumerate(kernel))
    blurred = sum(w * blurred[:, i : i + columns] for i, w in enumerate(kernel))
    return blurred.round().astype("uint8")


def solarize(image, threshold):
    return np.where(image >= threshold, 255 - image, image)
