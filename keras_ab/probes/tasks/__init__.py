"""Tasks: questions about pictures, and how answers are judged."""

from keras_ab.probes.tasks.action import Action
from keras_ab.probes.tasks.average_precision import CocoEvaluation
from keras_ab.probes.tasks.box_classification import BoxClassification
from keras_ab.probes.tasks.captioning import Captioning
from keras_ab.probes.tasks.cider import cider
from keras_ab.probes.tasks.classification import Classification
from keras_ab.probes.tasks.counting import Counting
from keras_ab.probes.tasks.detection import Detection
from keras_ab.probes.tasks.nearest_depth import NearestDepth
from keras_ab.probes.tasks.questions import scene_questions
from keras_ab.probes.tasks.records import read_records
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Task
from keras_ab.probes.tasks.visual_questions import VisualQuestions

__all__ = [
    "Action",
    "BoxClassification",
    "Captioning",
    "Classification",
    "CocoEvaluation",
    "Counting",
    "Detection",
    "Example",
    "NearestDepth",
    "Prediction",
    "Task",
    "VisualQuestions",
    "cider",
    "read_records",
    "scene_questions",
]
