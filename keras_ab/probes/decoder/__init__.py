"""The multi-task decoder probe."""

from keras_ab.probes.decoder.probe import DecoderProbe

__all__ = ["DecoderProbe"]
