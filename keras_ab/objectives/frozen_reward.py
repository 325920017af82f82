"""A reward that somebody else has trained."""

import inspect
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NoReturn
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_ab.layers import TableHead
from keras_ab.layers.table_head import as_table
from keras_ab.objectives import checks
from keras_ab.objectives.indexed_reward import IndexedReward
from keras_ab.ops import scale_images
from keras_ab.typing import Batch
from keras_ab.typing import DType
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class FrozenReward(IndexedReward):
    """p(l|x) from a model that is used as it is.

    Only the value function learns, from unlabelled views: a batch is
    `{"value": ...}` and nothing else. The loss of the reward is zero. The
    model sees the views of the batch, not the encoder that is trained.

    A Keras layer or model is frozen in place (and stays frozen whatever is
    made trainable around it), saved with the model, and copied into the
    target network. Any other callable must be registered with
    `keras.saving.register_keras_serializable`, and keeps its weights, if it
    has some, to itself.

    Args:
        model: Callable from images `(B, H, W, 3)`, float32 in [-1, 1], to
            logits `(B, L)`: a Keras model, a
            `keras_ab.objectives.PromptScorer`, a registered function.
        num_annotations: Int, L, at least 2.
        temperature: Positive float that divides the model's logits.
        preprocess: Callable that is applied to the images first, such as
            `keras.layers.Resizing(224, 224)`; saved like `model`. None
            leaves them as they are.
        annotation_names: List of the L annotations' names, by which users
            may then call them, or None.
        annotation_features: Floats of shape `(L, D)`, such as embeddings of
            the names, which the value function then projects; None has it
            learn a vector for each annotation. A shape stands for a table
            that is loaded with the weights.
        fewer_than_images: Bool. False refuses batches of more than L images:
            where annotations are that few, whole groups of images share
            one, and there is little to learn for the value function. True
            trains nevertheless.
        weight: Float, the factor of the loss, which is zero.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Example:

    >>> scorer = keras.Sequential([
    ...     keras.Input((32, 32, 3)),
    ...     keras.layers.GlobalAveragePooling2D(),
    ...     keras.layers.Dense(10),
    ... ])
    >>> model = keras_ab.models.AnnotationBootstrapping(
    ...     keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3)),
    ...     reward=keras_ab.objectives.FrozenReward(scorer, 10),
    ... )
    >>> model.reward(np.zeros((1, 32, 32, 3), "uint8"), None)
    # shape (1, 10); the row sums to 1
    """

    def __init__(
        self,
        model: Callable[[Tensor], Tensor],
        num_annotations: int,
        temperature: float = 1.0,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        annotation_names: Sequence[str] | None = None,
        annotation_features: Tensor | Sequence[int] | None = None,
        fewer_than_images: bool = False,
        weight: float = 1.0,
        name: str = "reward",
        **kwargs: Any,
    ):
        super().__init__(
            num_annotations,
            annotation_names,
            weight=weight,
            name=name,
            **kwargs,
        )
        _check_portable(model, "model")
        if preprocess is not None:
            _check_portable(preprocess, "preprocess")
        checks.check_positive(temperature, "temperature")
        self.model = model
        self.temperature = temperature
        self.preprocess = preprocess
        self.fewer_than_images = fewer_than_images
        self.value_table = None
        if annotation_features is not None:
            self.value_table = as_table(annotation_features)
            if len(self.value_table) != num_annotations:
                raise ValueError(
                    "`annotation_features` must hold one row for each of the "
                    f"{num_annotations} annotations. Received: "
                    f"{len(self.value_table)} rows"
                )
        self._freeze()

    def _freeze(self):
        keras.layers.Layer.trainable.fset(self, False)

    @property
    def trainable(self) -> bool:
        """False, also where all around is made trainable."""
        return False

    @trainable.setter
    def trainable(self, value: bool) -> None:
        del value

    def build_on(self, network: Network) -> None:
        # A first call builds what is built late, and shows what comes out.
        shape = network.encoder.image_shape
        logits = self._score(ops.zeros((2, *shape)))
        if tuple(logits.shape) != (2, self.size):
            raise ValueError(
                "`model` must turn images (B, H, W, 3) into logits of shape "
                f"(B, {self.size}), `num_annotations`. Received for 2 images "
                f"of shape {shape}: shape {tuple(logits.shape)}"
            )
        self._freeze()

    def check(self, batch: Batch) -> None:
        views = checks.take(batch, "value", "image")
        checks.check_images(views, 'batch["value"]["image"]', rank=5)
        if self.size < len(views) and not self.fewer_than_images:
            raise ValueError(
                f"The frozen reward has {self.size} annotations, fewer than "
                f"the {len(views)} images of a batch, so that images must "
                "share them. Use more annotations or smaller batches, or "
                "pass `fewer_than_images=True` if this is meant. Received: "
                f'batch["value"]["image"] of shape {np.shape(views)}'
            )

    def _score(self, images):
        """Logits of the L annotations, over the temperature."""
        images = scale_images(images, "float32")
        if self.preprocess is not None:
            images = _infer(self.preprocess, images)
        logits = _infer(self.model, images)
        return ops.cast(logits, "float32") / self.temperature

    def image_logits(
        self, images: Tensor, pooled: Tensor, features: Tensor
    ) -> Tensor:
        images = ops.convert_to_tensor(images)
        images = ops.reshape(images, (-1, *images.shape[-3:]))
        return ops.take(self._score(images), features, axis=-1)

    def embed_images(self, pooled: Tensor) -> NoReturn:
        raise ValueError(
            "A frozen reward scores images and embeds none: use "
            "`model.reward(images, annotations)`."
        )

    def embed_annotations(self, features: Tensor) -> NoReturn:
        raise ValueError(
            "A frozen reward scores images and embeds no annotations: use "
            "`model.reward(images, annotations)`."
        )

    def reward_logits(self, pooled: Tensor, features: Tensor) -> NoReturn:
        raise ValueError(
            "A frozen reward scores images, not the features of the encoder "
            "that is trained: use `image_logits`."
        )

    def value_head(
        self, projection_dim: int, dtype: DType | None = None
    ) -> keras.layers.Layer:
        if self.value_table is None:
            return super().value_head(projection_dim, dtype)
        return TableHead(
            self.value_table,
            projection_dim,
            dtype=dtype,
            name="annotation_head",
        )

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        return {"annotations": self.annotations(batch, network)}

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return ops.zeros((1,), "float32")

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        table = self.value_table
        return {
            **super().get_config(),
            "model": serialize(self.model),
            "temperature": self.temperature,
            "preprocess": serialize(self.preprocess),
            "annotation_features": None if table is None else [*table.shape],
            "fewer_than_images": self.fewer_than_images,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = dict(config)
        for key in ("model", "preprocess"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


def _infer(function, images):
    """Calls a layer or function outside of training."""
    if isinstance(function, keras.layers.Layer):
        parameters = inspect.signature(function.call).parameters
        if "training" in parameters:
            return function(images, training=False)
    return function(images)


def _check_portable(function, name):
    """Raises `ValueError` for what can be neither called nor saved."""
    if isinstance(function, keras.layers.Layer):
        return
    wanted = (
        f"`{name}` is copied into the target network and saved: it must be a "
        "Keras layer or model, or a callable registered with "
        "`keras.saving.register_keras_serializable`."
    )
    if not callable(function):
        raise ValueError(f"{wanted} Received: {function!r}")
    try:
        config = keras.saving.serialize_keras_object(function)
        keras.saving.deserialize_keras_object(config)
    except Exception as error:
        raise ValueError(f"{wanted} Received: {function!r}") from error
