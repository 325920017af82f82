"""Tasks and probes by the names that commands use."""


from keras_ab.probes.tasks import Action
from keras_ab.probes.tasks import BoxClassification
from keras_ab.probes.tasks import Captioning
from keras_ab.probes.tasks import Classification
from keras_ab.probes.tasks import Counting
from keras_ab.probes.tasks import Detection
from keras_ab.probes.tasks import NearestDepth
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks import VisualQuestions

TASKS: dict[str, tuple[type[Task], str]] = {
    "classification": (Classification, "scenes"),
    "box_class": (BoxClassification, "scenes"),
    "detection": (Detection, "scenes"),
    "count": (Counting, "scenes"),
    "depth": (NearestDepth, "scenes"),
    "action": (Action, "video"),
    "captions": (Captioning, "scenes"),
    "questions": (VisualQuestions, "scenes"),
}
"""By name: the task, and the built-in set that it is on by default."""
