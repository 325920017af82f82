"""Augmentations of published methods.

Section 4 and Table 7 of the paper name crops, flips and "jitter"; the other
numbers are those of each method's own paper and code.
"""

from keras_ab.data.augmentations.augmentation import Augmentation


def simclr() -> Augmentation:
    """SimCLR at strength 1: two of these make a positive pair.

    Returns:
        An `Augmentation`.

    Reference:
        Chen et al. 2020, appendix A: jitter 0.8, 0.8, 0.8, 0.2 with
        probability 0.8, grey 0.2, blur 0.5 with a kernel of a tenth of the
        image. Crops: RRC(0.08, 1), Table 7.
    """
    return Augmentation(
        flip=0.5,
        jitter=0.8,
        brightness=0.8,
        contrast=0.8,
        saturation=0.8,
        hue=0.2,
        grayscale=0.2,
        blur=0.5,
    )


def slip() -> Augmentation:
    """SLIP's views: SimCLR at half strength.

    Returns:
        An `Augmentation`.

    Reference:
        Mu et al. 2022 and its code: jitter 0.4, 0.4, 0.4, 0.1 with
        probability 0.8, grey 0.2, blur 0.5. Crops: RRC(0.08, 1), Table 7.
    """
    return Augmentation(
        flip=0.5,
        jitter=0.8,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.1,
        grayscale=0.2,
        blur=0.5,
    )


def clip_aug() -> Augmentation:
    """CLIP+Aug's strong view, numerically SLIP's.

    Returns:
        An `Augmentation`.

    Reference:
        Fini et al. 2023 and its code (clip-rocket). Crops: RRC(0.08, 1).
    """
    return slip()


def dino_global_1() -> Augmentation:
    """DINO's first global crop: always blurred.

    Returns:
        An `Augmentation`.

    Reference:
        Caron et al. 2021 and its code: jitter 0.4, 0.4, 0.2, 0.1 with
        probability 0.8, grey 0.2, blur 1. Crops: RRC(0.4, 1), Table 7.
    """
    return _dino(blur=1.0)


def dino_global_2() -> Augmentation:
    """DINO's second global crop: seldom blurred, sometimes solarised.

    Returns:
        An `Augmentation`.

    Reference:
        Caron et al. 2021 and its code: as the first, but blur 0.1 and
        solarisation 0.2.
    """
    return _dino(blur=0.1, solarize=0.2)


def dino_local() -> Augmentation:
    """DINO's local crops.

    Returns:
        An `Augmentation`.

    Reference:
        Caron et al. 2021 and its code: as the first, but blur 0.5. Crops:
        RRC(0.05, 0.4), Table 7 (which prints 0.04), 96 pixels of 224.
    """
    return _dino(blur=0.5)


def _dino(**kwargs):
    return Augmentation(
        flip=0.5,
        jitter=0.8,
        brightness=0.4,
        contrast=0.4,
        saturation=0.2,
        hue=0.1,
        grayscale=0.2,
        **kwargs,
    )
