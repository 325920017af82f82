"""Tasks: questions about pictures, and how answers are judged."""

from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Task

__all__ = ["Example", "Prediction", "Task"]
