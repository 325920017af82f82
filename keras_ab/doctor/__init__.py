"""Is this machine ready to train? `python -m keras_ab.doctor`."""

from keras_ab.doctor.finding import Finding

__all__ = ["Finding"]
