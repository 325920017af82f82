"""Whole networks, without losses."""

from keras_ab.backbones.annotation_decoder import AnnotationDecoder
from keras_ab.backbones.image_backbone import ImageBackbone
from keras_ab.backbones.mask_predictor import MaskPredictor
from keras_ab.backbones.sizes import SIZES
from keras_ab.backbones.sizes import TransformerSize
from keras_ab.backbones.sizes import get_size
from keras_ab.backbones.text_transformer import TextTransformer
from keras_ab.backbones.vit import ViT

__all__ = [
    "SIZES",
    "AnnotationDecoder",
    "ImageBackbone",
    "MaskPredictor",
    "TextTransformer",
    "TransformerSize",
    "ViT",
    "get_size",
]
