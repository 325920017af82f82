"""What a user fits: the trainer, and the named methods."""

from keras_ab.models.ab_clip import ABCLIP
from keras_ab.models.ab_dino import ABDINO
from keras_ab.models.ab_simclr import ABSimCLR
from keras_ab.models.annotation_bootstrapping import AnnotationBootstrapping
from keras_ab.models.clip import CLIP
from keras_ab.models.dino import DINO
from keras_ab.models.ijepa import IJEPA
from keras_ab.models.mae import MAE
from keras_ab.models.network import Network
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.models.silc import SiLC
from keras_ab.models.simclr import SimCLR
from keras_ab.models.slip import SLIP

__all__ = [
    "ABCLIP",
    "ABDINO",
    "CLIP",
    "DINO",
    "IJEPA",
    "MAE",
    "SLIP",
    "ABSimCLR",
    "AnnotationBootstrapping",
    "Network",
    "Pretrainer",
    "SiLC",
    "SimCLR",
]
