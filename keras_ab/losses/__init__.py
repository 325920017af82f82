"""Loss functions of arrays (per-example values) and their Keras classes."""

from keras_ab.losses.bellman_value import BellmanValueLoss
from keras_ab.losses.bellman_value import bellman_value
from keras_ab.losses.chunked_bellman_value import chunked_bellman_value
from keras_ab.losses.dino import DINOLoss
from keras_ab.losses.dino import dino
from keras_ab.losses.info_nce import InfoNCE
from keras_ab.losses.info_nce import info_nce
from keras_ab.losses.masked_latents import MaskedLatentsLoss
from keras_ab.losses.masked_latents import masked_latents
from keras_ab.losses.masked_pixels import MaskedPixelsLoss
from keras_ab.losses.masked_pixels import masked_pixels
from keras_ab.losses.nt_xent import NTXent
from keras_ab.losses.nt_xent import nt_xent
from keras_ab.losses.sigmoid_contrast import SigmoidContrast
from keras_ab.losses.sigmoid_contrast import sigmoid_contrast

__all__ = [
    "BellmanValueLoss",
    "DINOLoss",
    "InfoNCE",
    "MaskedLatentsLoss",
    "MaskedPixelsLoss",
    "NTXent",
    "SigmoidContrast",
    "bellman_value",
    "chunked_bellman_value",
    "dino",
    "info_nce",
    "masked_latents",
    "masked_pixels",
    "nt_xent",
    "sigmoid_contrast",
]
