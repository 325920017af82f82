"""Self-distillation over prototypes: DINO's loss, and ABDINO's reward."""

import math
from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_ab.distribution import mean_of_rows
from keras_ab.layers import DINOHead
from keras_ab.layers import Prototypes
from keras_ab.layers.patches import as_pair
from keras_ab.losses import dino
from keras_ab.objectives import crop_checks
from keras_ab.objectives.objective import Reward
from keras_ab.schedules import as_schedule
from keras_ab.typing import Batch
from keras_ab.typing import DType
from keras_ab.typing import Network
from keras_ab.typing import Rate
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors
from keras_ab.typing import is_integral
from keras_ab.typing import is_real


@keras.saving.register_keras_serializable(package="keras_ab")
class SelfDistillation(Reward):
    """Crops of an image that are to agree on its prototypes.

    The online network (the student) sees all crops of an image, the target
    network (the teacher) the global ones. The student's distribution over K
    prototypes is to be the teacher's of every other crop. The teacher's is
    sharpened by a low temperature and centred by a running mean of its
    logits, which keeps either from collapsing.

    Annotations are the prototypes, named by index:
    `p(l|x) = softmax((g(x)_l - c_l) / τ)`, with the centre c and the teacher's
    temperature τ. Both are weights of the objective, written in training and
    copied to the target network at every update, so that its rewards are the
    labels that the next update uses. Under gradient accumulation the centre
    moves once an update, by the mean over all micro-batches.

    Args:
        num_prototypes: Int K, at least 2.
        hidden_dims: Sizes of the head's hidden layers.
        bottleneck_dim: Int, size of the space of images and prototypes.
        student_temperature: Positive float.
        teacher_temperature: Positive float τ, or a schedule on the update
            count (`keras_ab.schedules.linear` for the published warm-up).
        centre_momentum: Float m in [0, 1): `c ← m c + (1 - m) · mean of the
            teacher's logits`, over global crops and the batch. None leaves
            the centre at zero (an ablation, which tends to collapse).
        freeze_last_layer_updates: Int, how many updates the prototypes stay
            what they were at the start; neither gradients nor weight decay
            reach them. Adam's bias correction of theirs begins then.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Reference:
        Section 3.2 (ABDINO); Caron et al. 2021, Algorithm 1.
    """

    annotation_dim = 1
    needs_target_network = True
    annotations_of_batch = False

    def __init__(
        self,
        num_prototypes: int = 65536,
        hidden_dims: Sequence[int] = (2048, 2048),
        bottleneck_dim: int = 256,
        student_temperature: float = 0.1,
        teacher_temperature: Rate = 0.04,
        centre_momentum: float | None = 0.9,
        freeze_last_layer_updates: int = 0,
        weight: float = 1.0,
        name: str = "reward",
        **kwargs: Any,
    ):
        super().__init__(weight=weight, name=name, **kwargs)
        teacher_temperature = as_schedule(teacher_temperature)
        _check_temperature(student_temperature, "`student_temperature`")
        for updates in (0, 2**30):
            value = float(ops.convert_to_numpy(teacher_temperature(updates)))
            _check_temperature(value, "`teacher_temperature`, at all times,")
        if centre_momentum is not None and not (
            is_real(centre_momentum) and 0.0 <= centre_momentum < 1.0
        ):
            raise ValueError(
                "`centre_momentum` must lie in [0, 1), or be None for no "
                f"centring. Received: {centre_momentum!r}"
            )
        if not (
            is_integral(freeze_last_layer_updates)
            and freeze_last_layer_updates >= 0
        ):
            raise ValueError(
                "`freeze_last_layer_updates` must be an integer of at least "
                f"0. Received: {freeze_last_layer_updates!r}"
            )
        self.student_temperature = student_temperature
        self.teacher_temperature = teacher_temperature
        self.centre_momentum = centre_momentum
        self.freeze_last_layer_updates = int(freeze_last_layer_updates)
        self.head = DINOHead(
            num_prototypes,
            hidden_dims,
            bottleneck_dim,
            dtype=self.dtype_policy,
            name="head",
        )
        self.num_prototypes = num_prototypes

    def build_on(self, network: Network) -> None:
        patch_size = getattr(network.encoder, "patch_size", None)
        self._encoder_patch_size = patch_size and as_pair(patch_size)
        self.head.build((None, network.encoder.hidden_dim))

        def state(name, shape, initializer, dtype="float32"):
            return self.add_weight(
                shape=shape,
                dtype=dtype,
                initializer=initializer,
                trainable=False,
                autocast=False,
                name=name,
            )

        start = float(ops.convert_to_numpy(self.teacher_temperature(0)))
        self.centre = state("centre", (self.num_prototypes,), "zeros")
        self.temperature = state(
            "temperature", (), keras.initializers.Constant(start)
        )
        self.batches = state("batches", (), "zeros", "int32")

    # Training.

    def check(self, batch: Batch) -> None:
        crop_checks.check_crops(batch, self._encoder_patch_size)

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        frozen = None
        if self.freeze_last_layer_updates:
            frozen = ops.less(network.updates, self.freeze_last_layer_updates)
        crops = batch["crops"]
        pooled = [
            self._pool(network, crops[size], training)
            for size in ("global", "local")
            if size in crops
        ]
        logits = self.head(ops.concatenate(pooled, axis=1), frozen=frozen)
        return {"annotations": self.head.prototypes.all(), "logits": logits}

    @staticmethod
    def _pool(network, crops, training=False):
        """Pooled features of each crop, `(B, V, hidden_dim)`."""
        crops = ops.convert_to_tensor(crops)
        tokens = network.encode(crops, training=training)
        pooled = network.encoder.pool(tokens)
        return ops.reshape(pooled, (-1, crops.shape[1], pooled.shape[-1]))

    def targets(
        self, batch: Batch, network: Network, peers: dict[str, Tensors]
    ) -> Tensors:
        logits = self.head(self._pool(network, batch["crops"]["global"]))
        return {
            "annotations": self.head.prototypes.all(),
            "probabilities": ops.softmax(self._centred(logits), axis=-1),
            "mean_logits": mean_of_rows(ops.mean(logits, axis=1)),
            "centre": ops.convert_to_tensor(self.centre),
            "batches": ops.convert_to_tensor(self.batches),
        }

    def _centred(self, logits, indices=None):
        """Logits of the teacher's distribution, `(..., L)`."""
        centre = ops.convert_to_tensor(self.centre)
        if indices is not None:
            centre = self.head.prototypes.take(centre, indices)
        return (logits - centre) / ops.convert_to_tensor(self.temperature)

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        # A batch stands in front in outputs, the views in the loss.
        return dino(
            ops.transpose(outputs["logits"], (1, 0, 2)),
            ops.transpose(targets["probabilities"], (1, 0, 2)),
            self.student_temperature,
        )

    def update_state(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> None:
        self.temperature.assign(
            ops.cast(self.teacher_temperature(updates + 1), "float32")
        )
        if self.centre_momentum is None:
            return
        # The target network's count and centre are those of the last update.
        # What the micro-batches since then ask for is averaged.
        batches = self.batches + 1
        share = 1.0 / ops.cast(batches - targets["batches"], "float32")
        momentum = self.centre_momentum
        wanted = momentum * targets["centre"]
        wanted = wanted + (1.0 - momentum) * targets["mean_logits"]
        self.centre.assign((1.0 - share) * self.centre + share * wanted)
        self.batches.assign(batches)

    def frozen(self) -> list[tuple[keras.Variable, int]]:
        if not self.freeze_last_layer_updates:
            return []
        return [(self.head.prototypes.kernel, self.freeze_last_layer_updates)]

    def chance_loss(self, batch: Batch) -> float:
        return math.log(self.num_prototypes)

    # Prototypes as annotations.

    def num_annotations(self, batch: Batch) -> int:
        return self.num_prototypes

    def annotations(self, batch: Batch, network: Network) -> Tensor:
        return self.head.prototypes.all()

    def featurize(self, annotations: Any, network: Network) -> Tensor:
        """Prototypes by index, as features.

        Args:
            annotations: Integers in [0, K) of shape `(L,)`, or None for all
                K in their order.
            network: The `Network` that holds this objective.

        Returns:
            int32 of shape `(L, 1)`; of shape `(K, 0)` for None.
        """
        if annotations is None:
            return self.head.prototypes.all()
        indices = np.asarray(ops.convert_to_numpy(annotations))
        count = self.num_prototypes
        if (
            indices.ndim != 1
            or indices.dtype.kind not in "iu"
            or not len(indices)
        ):
            raise ValueError(
                "`annotations` must be None, for all prototypes, or integer "
                f"indices of shape (L,). Received: dtype {indices.dtype}, "
                f"shape {indices.shape}"
            )
        if indices.min() < 0 or indices.max() >= count:
            raise ValueError(
                f"`annotations` must hold indices in [0, {count}), one of the "
                f"prototypes. Received: indices from {indices.min()} to "
                f"{indices.max()}"
            )
        return ops.convert_to_tensor(indices[:, None], "int32")

    def embed_images(self, pooled: Tensor) -> Tensor:
        return self.head.embed(pooled)

    def embed_annotations(self, features: Tensor) -> Tensor:
        return self.head.prototypes(features)

    def reward_logits(self, pooled: Tensor, features: Tensor) -> Tensor:
        return self._centred(self.head(pooled, indices=features), features)

    def value_head(
        self, projection_dim: int, dtype: DType | None = None
    ) -> keras.layers.Layer:
        return Prototypes(
            self.num_prototypes, projection_dim, name="annotation_head"
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_prototypes": self.num_prototypes,
            "hidden_dims": self.head.hidden_dims,
            "bottleneck_dim": self.head.bottleneck_dim,
            "student_temperature": self.student_temperature,
            "teacher_temperature": keras.saving.serialize_keras_object(
                self.teacher_temperature
            ),
            "centre_momentum": self.centre_momentum,
            "freeze_last_layer_updates": self.freeze_last_layer_updates,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        schedule = keras.saving.deserialize_keras_object(
            config["teacher_temperature"]
        )
        return cls(**{**config, "teacher_temperature": schedule})


def _check_temperature(value, where):
    if not (is_real(value) and 0 < value < math.inf):
        raise ValueError(
            f"{where} must be a positive number. Received: {value!r}"
        )
