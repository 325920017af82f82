"""A local page on what a model expects where.

    python -m keras_ab.explore MODEL IMAGES

Every number on it is one that `keras_ab.analysis` gives in Python.
"""

from keras_ab.explore.app import make_app
from keras_ab.explore.explorer import Explorer
from keras_ab.explore.explorer import Scene
from keras_ab.explore.gallery import Gallery

__all__ = ["Explorer", "Gallery", "Scene", "make_app"]
