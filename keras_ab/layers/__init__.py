"""Keras layers that the networks are made of."""

from keras_ab.layers.attention import CrossAttention
from keras_ab.layers.attention import SelfAttention
from keras_ab.layers.bin_tokens import BinTokens
from keras_ab.layers.blocks import DecoderBlock
from keras_ab.layers.blocks import TransformerBlock
from keras_ab.layers.constant_tokens import ConstantTokens
from keras_ab.layers.dense import Dense
from keras_ab.layers.dino_head import DINOHead
from keras_ab.layers.drop_path import DropPath
from keras_ab.layers.heads import LearnedBias
from keras_ab.layers.heads import ProjectionHead
from keras_ab.layers.heads import SimilarityScale
from keras_ab.layers.mlp import MLP
from keras_ab.layers.norm import LayerNorm
from keras_ab.layers.patches import PatchEmbedding
from keras_ab.layers.pooling import TokenPooling
from keras_ab.layers.positions import PositionEmbedding
from keras_ab.layers.prototypes import Prototypes
from keras_ab.layers.rematerialize import in_passes
from keras_ab.layers.rematerialize import rematerialized
from keras_ab.layers.sincos import SinCosPositions
from keras_ab.layers.table_head import TableHead

__all__ = [
    "MLP",
    "BinTokens",
    "ConstantTokens",
    "CrossAttention",
    "DINOHead",
    "DecoderBlock",
    "Dense",
    "DropPath",
    "LayerNorm",
    "LearnedBias",
    "PatchEmbedding",
    "PositionEmbedding",
    "ProjectionHead",
    "Prototypes",
    "SelfAttention",
    "SimilarityScale",
    "SinCosPositions",
    "TableHead",
    "TokenPooling",
    "TransformerBlock",
    "in_passes",
    "rematerialized",
]
