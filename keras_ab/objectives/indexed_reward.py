"""What rewards over a fixed set of annotations share."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.objectives import checks
from keras_ab.objectives.objective import Reward
from keras_ab.typing import Batch
from keras_ab.typing import DType
from keras_ab.typing import Network
from keras_ab.typing import Tensor


class IndexedReward(Reward):
    """A reward whose annotations are the indices of a fixed set.

    The features of an annotation are its index; the value function learns a
    vector of its own for each.

    Args:
        num_annotations: Int, L, at least 2.
        annotation_names: List of L different strings by which annotations
            may be called, or None.
        **kwargs: As in `keras_ab.objectives.Objective`.
    """

    annotations_of_batch = False

    def __init__(
        self,
        num_annotations: int,
        annotation_names: Sequence[str] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        checks.check_count(num_annotations, "num_annotations", minimum=2)
        if annotation_names is not None:
            annotation_names = [str(name) for name in annotation_names]
            if len(set(annotation_names)) != num_annotations:
                raise ValueError(
                    "`annotation_names` must hold one name for each of the "
                    f"{num_annotations} annotations, all different. "
                    f"Received: {len(annotation_names)} names, "
                    f"{len(set(annotation_names))} different"
                )
        self.size = num_annotations
        self.annotation_names = annotation_names

    def num_annotations(self, batch: Batch) -> int:
        return self.size

    def annotations(self, batch: Batch | None, network: Network) -> Tensor:
        return ops.arange(self.size, dtype="int32")

    def featurize(self, annotations: Any, network: Network) -> Tensor:
        """The indices of annotations.

        Args:
            annotations: Indices in [0, L), names where there are names, or
                None for all in order.
            network: The `Network` that holds this objective.

        Returns:
            int32 of shape `(len(annotations),)`.
        """
        if annotations is None:
            return self.annotations(None, network)
        if isinstance(annotations, str):
            annotations = [annotations]
        if isinstance(annotations, (list, tuple)):
            annotations = np.asarray(annotations)
        annotations = ops.convert_to_numpy(annotations)
        if annotations.dtype.kind in "OU":
            annotations = self._indices(annotations.tolist())
        checks.check_labels(annotations, "`annotations`", self.size)
        return ops.convert_to_tensor(annotations, "int32")

    def _indices(self, names):
        known = self.annotation_names or []
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                "`annotations` must be indices, None for all, or names out "
                f"of {known[:10]}. Received: {unknown[:3]}"
            )
        return np.array([known.index(name) for name in names])

    def value_head(
        self, projection_dim: int, dtype: DType | None = None
    ) -> keras.layers.Layer:
        return keras.layers.Embedding(
            self.size,
            projection_dim,
            # About unit length, as learning rates expect.
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=projection_dim**-0.5
            ),
            dtype=dtype,
            name="annotation_head",
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_annotations": self.size,
            "annotation_names": self.annotation_names,
        }
