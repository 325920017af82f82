"""Encoder and objectives: all that the target network copies."""

import inspect
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.backbones.image_backbone import as_encoder
from keras_ab.layers import in_passes
from keras_ab.objectives import Objective
from keras_ab.ops import scale_images
from keras_ab.typing import Batch
from keras_ab.typing import Shape
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class Network(keras.layers.Layer):
    """One encoder, shared by a list of objectives.

    Args:
        encoder: Layer from float images `(B, H, W, 3)` in [-1, 1] to tokens
            `(B, T, hidden_dim)`, with `pool`, `patch_tokens`, `hidden_dim`
            and `image_shape` (see `keras_ab.backbones.ViT`); or a model of
            KerasHub, keras.applications or KerasCV, which
            `keras_ab.backbones.ImageBackbone` then wraps.
        objectives: List of `keras_ab.objectives.Objective`, in the order in
            which they run; their names are unique.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        objectives: Sequence[Objective],
        **kwargs: Any,
    ):
        super().__init__(**{**kwargs, "autocast": False})
        encoder = as_encoder(encoder)
        _check_encoder(encoder)
        _check_objectives(objectives)
        names = [objective.name for objective in objectives]
        if not names or len(set(names)) != len(names):
            raise ValueError(
                "A network needs one objective or more, each of a name of "
                f"its own. Received: {names}"
            )
        for index, objective in enumerate(objectives):
            needed = getattr(objective, "reward", None)
            if isinstance(needed, str) and needed not in names[:index]:
                raise ValueError(
                    f"Objective {objective.name!r} builds on the reward "
                    f"{needed!r}, which must stand before it. Received: "
                    f"{names}"
                )
        self.encoder = encoder
        self.objectives = list(objectives)
        self.passes = 1
        self._counter: Callable[[], Any] | None = None

    def follow(self, counter: keras.Variable) -> None:
        """Names the count of updates that objectives of this network see.

        Args:
            counter: An int32 scalar variable, which stays its owner's.
        """
        # In a function, or Keras would count it among this layer's weights.
        self._counter = lambda: counter

    @property
    def updates(self) -> Tensor:
        """int32 scalar: updates made so far, for what hangs on them in `call`.

        The target network, and one that no model trains, have made none.
        """
        if self._counter is None:
            return ops.zeros((), dtype="int32")
        return ops.convert_to_tensor(self._counter())

    def build(self, input_shape: Shape | None = None) -> None:
        if not self.encoder.built:
            self.encoder.build((None, *self.encoder.image_shape))
        for objective in self.objectives:
            # A layer's build() opens its name scope; build_on() must too, so
            # that paths nest as network/objective/head.
            with keras.name_scope(objective.name, caller=objective):
                objective.build_on(self)
            objective.built = True

    def objective(self, name: str) -> Objective:
        """The objective of a name.

        Args:
            name: String.

        Returns:
            A `keras_ab.objectives.Objective`.
        """
        for objective in self.objectives:
            if objective.name == name:
                return objective
        names = [objective.name for objective in self.objectives]
        raise ValueError(f"No objective is named {name!r}. There are: {names}")

    def bootstraps(self, name: str) -> bool:
        """Whether an objective builds on the reward of a name.

        Args:
            name: String.

        Returns:
            Bool.
        """
        return any(
            getattr(objective, "reward", None) == name
            for objective in self.objectives
        )

    def encode(
        self, images: Tensor, training: bool = False, **kwargs: Any
    ) -> Tensor:
        """Encodes images, or several views of each.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)` or
                `(B, N, H, W, 3)`.
            training: Bool.
            **kwargs: The encoder's own, such as a ViT's `patch_ids`.

        Returns:
            Floats of shape `(B, T, hidden_dim)` or `(B * N, T, hidden_dim)`:
            the encoder's tokens.
        """
        images = ops.convert_to_tensor(images)
        if len(images.shape) == 5:
            images = ops.reshape(images, (-1, *images.shape[2:]))
        rows = {k: v for k, v in kwargs.items() if v is not None}
        images = scale_images(images, dtype=self.compute_dtype)
        return self.run(self.encoder, images, training=training, **rows)

    def run(
        self,
        layer: keras.layers.Layer,
        inputs: Tensor,
        training: bool = False,
        **rows: Tensor,
    ) -> Tensor:
        """Calls a layer that looks at each row by itself.

        Where the model is compiled with `encoder_passes`, the layer takes its
        rows in as many passes, and computes them again for the gradient.

        Args:
            layer: A layer, such as an encoder.
            inputs: Tensor of shape `(B, ...)`, its first argument.
            training: Bool.
            **rows: Other arguments of `(B, ...)`.

        Returns:
            What the layer returns, one tensor.
        """
        if self.passes == 1:
            return layer(inputs, training=training, **rows)
        first = next(iter(inspect.signature(layer.call).parameters))
        return in_passes(
            layer, self.passes, {first: inputs, **rows}, training=training
        )

    def call(self, batch: Batch, training: bool = False) -> dict[str, Tensors]:
        outputs: dict[str, Tensors] = {}
        for objective in self.objectives:
            outputs[objective.name] = objective(
                batch, network=self, peers=outputs, training=training
            )
        return outputs

    def targets(self, batch: Batch) -> dict[str, Tensors]:
        """What this network contributes to the losses as target network.

        Args:
            batch: The nested dict that `fit` consumes.

        Returns:
            Dict from the objectives' names to dicts of tensors.
        """
        targets: dict[str, Tensors] = {}
        for objective in self.objectives:
            targets[objective.name] = objective.targets(batch, self, targets)
        return targets

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "encoder": serialize(self.encoder),
            "objectives": [serialize(o) for o in self.objectives],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = dict(config)
        deserialize = keras.saving.deserialize_keras_object
        config["encoder"] = deserialize(config["encoder"])
        config["objectives"] = [deserialize(o) for o in config["objectives"]]
        return cls(**config)


def check_passes(passes: int, network: Network) -> None:
    """Raises `ValueError` for encoders that cannot take a batch in parts.

    Args:
        passes: Int, how many parts.
        network: The `Network`.

    Raises:
        ValueError: If it is no positive int, or an encoder has batch
            normalisation, whose statistics would be those of a part. Heads
            with it see the whole batch.
    """
    if not (isinstance(passes, int) and passes >= 1):
        raise ValueError(
            f"`encoder_passes` must be a positive int. Received: {passes!r}"
        )
    if passes == 1:
        return
    encoders = [network.encoder]
    encoders += [
        objective.text_encoder
        for objective in network.objectives
        if hasattr(objective, "text_encoder")
    ]
    for encoder in encoders:
        found = [w.path for w in encoder.weights if w.name == "moving_mean"]
        if found:
            raise ValueError(
                "An encoder with batch normalisation must see a batch at "
                f"once: `encoder_passes` must be 1. Received: {passes}, and "
                f"an encoder with {found[0]}"
            )


def _check_encoder(encoder):
    lacks = [
        name
        for name in ("pool", "hidden_dim", "image_shape")
        if not hasattr(encoder, name)
    ]
    if lacks:
        raise ValueError(
            "The encoder must be a layer from images to tokens with `pool`, "
            "`hidden_dim` and `image_shape`, such as "
            '`keras_ab.backbones.ViT.from_size("S")`. Received: '
            f"{encoder!r}, without {lacks}"
        )
    if len(encoder.image_shape) != 3 or encoder.image_shape[-1] != 3:
        raise ValueError(
            "The encoder's `image_shape` must be (height, width, 3): batches "
            f"hold RGB images. Received: {tuple(encoder.image_shape)}"
        )


def _check_objectives(objectives):
    """Raises `ValueError` for anything but a list of objectives."""
    if not isinstance(objectives, (list, tuple)):
        raise ValueError(
            "`objectives` must be a list of `keras_ab.objectives.Objective`. "
            f"Received: {objectives!r}"
        )
    wrong = [o for o in objectives if not isinstance(o, Objective)]
    if wrong:
        raise ValueError(
            "`objectives` must hold `keras_ab.objectives.Objective`s, such as "
            "`ImageTextContrast`; a loss or a layer is none. Received: "
            f"{wrong[0]!r}"
        )
