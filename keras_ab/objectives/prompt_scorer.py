"""Images against a fixed list of prompts, in a trained CLIP or SigLIP."""

from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_ab.layers.table_head import as_table
from keras_ab.ops import cosine_similarity
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class PromptScorer(keras.layers.Layer):
    """The logits of a list of prompts, embedded once.

    It keeps the image tower of a contrastive model and the embeddings of the
    prompts; the text tower is not needed any more.

    Args:
        image_encoder: A Keras model from images `(B, H, W, 3)` to embeddings
            `(B, D)`.
        prompt_embeddings: Floats of shape `(L, D)`; or that shape, for
            embeddings that are loaded with the weights.
        logit_scale: Float, the factor on the cosines.
        scale: Float, or three, the factor on pixels in [0, 255].
        offset: Float, or three, added after. The defaults give [-1, 1].
        interpolation: How images are resized to the encoder's size.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        images: Floats in [-1, 1] of shape `(B, H, W, 3)`, of any size.

    Returns:
        Float32 of shape `(B, L)`, the scaled cosines.

    Example:

    >>> encoder = keras.Sequential([
    ...     keras.Input((16, 16, 3)),
    ...     keras.layers.Flatten(),
    ...     keras.layers.Dense(8),
    ... ])
    >>> scorer = keras_ab.objectives.PromptScorer(encoder, np.eye(8))
    >>> reward = keras_ab.objectives.FrozenReward(scorer, 8)

    With KerasHub, whose presets may be names of models to download or paths:

    ```python
    scorer = keras_ab.objectives.PromptScorer.from_preset(
        "clip_vit_base_patch32", ["a photo of a cup", "a photo of a car"]
    )
    ```
    """

    def __init__(
        self,
        image_encoder: keras.Model,
        prompt_embeddings: Tensor | Sequence[int],
        logit_scale: float = 100.0,
        scale: float | Sequence[float] = 1 / 127.5,
        offset: float | Sequence[float] = -1.0,
        interpolation: str = "bilinear",
        **kwargs: Any,
    ):
        super().__init__(**{**kwargs, "autocast": False})
        self.image_encoder = image_encoder
        self.values = as_table(prompt_embeddings)
        self.logit_scale = logit_scale
        self.scale, self.offset = scale, offset
        self.interpolation = interpolation

    @classmethod
    def from_backbone(
        cls, backbone: Any, token_ids: Tensor, **kwargs: Any
    ) -> Self:
        """A scorer from both towers of a KerasHub model.

        Args:
            backbone: A `keras_hub.models.CLIPBackbone` or `SigLIPBackbone`,
                or a model with the same `vision_encoder.image_shape`,
                `get_vision_embeddings` and `get_text_embeddings`.
            token_ids: Ints of shape `(L, T)`, the prompts, as the model's
                preprocessor gives them.
            **kwargs: The other arguments of the constructor.

        Returns:
            A `PromptScorer`.
        """
        images = keras.Input(backbone.vision_encoder.image_shape)
        encoder = keras.Model(
            images, backbone.get_vision_embeddings(images), name="image_encoder"
        )
        ids = ops.convert_to_tensor(token_ids, "int32")
        prompts = ops.convert_to_numpy(
            ops.stop_gradient(backbone.get_text_embeddings(ids))
        )
        for head in ("clip_head", "siglip_head"):
            if hasattr(backbone, head):
                # SigLIP's bias would cancel in the softmax.
                log_scale = getattr(backbone, head).logit_scale
                log_scale = float(ops.convert_to_numpy(log_scale))
                kwargs.setdefault("logit_scale", float(np.exp(log_scale)))
        return cls(encoder, prompts, **kwargs)

    @classmethod
    def from_preset(
        cls, preset: str, prompts: Sequence[str], **kwargs: Any
    ) -> Self:
        """A scorer from a preset of KerasHub, which must be installed.

        Args:
            preset: String, a CLIP or SigLIP preset as KerasHub takes it.
            prompts: List of strings.
            **kwargs: The other arguments of the constructor.

        Returns:
            A `PromptScorer`.
        """
        import keras_hub

        backbone = keras_hub.models.Backbone.from_preset(preset)
        pairs = (
            (keras_hub.models.CLIPBackbone, keras_hub.models.CLIPPreprocessor),
            (
                keras_hub.models.SigLIPBackbone,
                keras_hub.models.SigLIPPreprocessor,
            ),
        )
        known = [p for b, p in pairs if isinstance(backbone, b)]
        if not known:
            raise ValueError(
                "`preset` must be that of a CLIP or SigLIP. Received: "
                f"{preset!r}, a {type(backbone).__name__}"
            )
        preprocessor = known[0].from_preset(preset)
        blank = np.zeros((len(prompts), 8, 8, 3), "float32")
        tokens = preprocessor({"images": blank, "prompts": list(prompts)})
        converter = preprocessor.image_converter
        if converter is not None:
            kwargs = {
                "scale": 1.0 if converter.scale is None else converter.scale,
                "offset": 0.0 if converter.offset is None else converter.offset,
                "interpolation": converter.interpolation,
                **kwargs,
            }
        ids = ops.convert_to_numpy(tokens["token_ids"])
        return cls.from_backbone(backbone, ids, **kwargs)

    def build(self, input_shape: Shape | None = None) -> None:
        self.prompt_embeddings = self.add_weight(
            shape=self.values.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                self.values, dtype
            ),
            trainable=False,
            autocast=False,
            name="prompt_embeddings",
        )

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        size = tuple(self.image_encoder.input_shape[1:3])
        x = (ops.cast(images, "float32") + 1.0) * 127.5
        if None not in size and tuple(x.shape[1:3]) != size:
            x = ops.image.resize(
                x, size, interpolation=self.interpolation, antialias=True
            )
        x = x * ops.convert_to_tensor(self.scale, "float32")
        x = x + ops.convert_to_tensor(self.offset, "float32")
        embedded = self.image_encoder(x, training=training)
        prompts = ops.convert_to_tensor(self.prompt_embeddings)
        return self.logit_scale * cosine_similarity(embedded, prompts)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], len(self.values))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "image_encoder": keras.saving.serialize_keras_object(
                self.image_encoder
            ),
            "prompt_embeddings": [*self.values.shape],
            "logit_scale": self.logit_scale,
            "scale": self.scale,
            "offset": self.offset,
            "interpolation": self.interpolation,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        encoder = keras.saving.deserialize_keras_object(config["image_encoder"])
        return cls(**{**config, "image_encoder": encoder})
