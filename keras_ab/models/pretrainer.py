"""The trainer: gradient step, finite gate, target network."""

from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab import distribution
from keras_ab import optimizers
from keras_ab.models import finite_gate
from keras_ab.models import target_network
from keras_ab.models.first_batch import as_arrays
from keras_ab.models.first_batch import first_batch
from keras_ab.models.inference import no_gradients
from keras_ab.models.inputs import as_images
from keras_ab.models.network import Network
from keras_ab.models.network import check_passes
from keras_ab.models.preset_files import write_preset
from keras_ab.models.skipped_steps import SkippedSteps
from keras_ab.objectives import Objective
from keras_ab.objectives import Reward
from keras_ab.schedules import as_schedule
from keras_ab.typing import Batch
from keras_ab.typing import DType
from keras_ab.typing import PathLike
from keras_ab.typing import Rate
from keras_ab.typing import Shape
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class Pretrainer(keras.Model):
    """Trains a shared encoder on a list of objectives.

    One step is Keras' own gradient step on the weighted sum of the
    objectives' losses, and then, inside the same compiled step:

    1. the *finite gate*: a step whose loss or gradient is not finite leaves
       weights, optimizer, target network, statistics and counters as they
       were, and is counted in the log as `skipped_steps`;
    2. the *target network*: `θ̄ ← θ̄ + τ (θ - θ̄)`, in float32, only when the
       optimizer made an update (not at each micro-step of gradient
       accumulation), with τ read at the number of updates made before.

    Args:
        encoder: The image encoder, for example a `keras_ab.backbones.ViT`.
        objectives: List of `keras_ab.objectives.Objective`.
        target_rate: τ, a float or a schedule on the update count
            (`keras_ab.schedules`). None trains without a target network;
            objectives that need targets then use the online weights.
        name: Name of the model.
        dtype: Dtype policy. Weights must be float32: use
            `"mixed_bfloat16"`, not `"bfloat16"`.

    Example:

    >>> model = keras_ab.models.Pretrainer(
    ...     keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3)),
    ...     [keras_ab.objectives.ImageTextContrast(text_encoder)],
    ... )
    >>> model.compile(keras.optimizers.AdamW(1e-3, weight_decay=0.1))
    >>> model.fit(dataset)

    Reference:
        Algorithm 2; Section A.2, "Training".
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        objectives: Sequence[Objective],
        target_rate: Rate | None = None,
        name: str | None = None,
        dtype: DType | None = None,
    ):
        super().__init__(name=name, dtype=dtype, autocast=False)
        if self.variable_dtype != "float32":
            raise ValueError(
                "Weights must be float32, or the target network's average is "
                "rounded away. Use a mixed policy such as 'mixed_bfloat16'. "
                f"Received: dtype policy {self.dtype_policy.name!r}"
            )
        self._distribution = distribution.present()
        if target_rate is not None:
            target_rate = as_schedule(target_rate)
            start = float(ops.convert_to_numpy(target_rate(0)))
            if not 0.0 <= start <= 1.0:
                raise ValueError(
                    "`target_rate`, the share by which the target network "
                    f"moves, must lie in [0, 1]. Received: {start}"
                )
        self.online = Network(
            encoder, objectives, name="online", dtype=self.dtype_policy
        )
        for objective in self.online.objectives:
            if objective.needs_target_network and target_rate is None:
                raise ValueError(
                    f"Objective {objective.name!r} needs a target network: "
                    "pass `target_rate`, a number or a schedule. Received: "
                    "target_rate=None"
                )
        self.target_rate = target_rate
        self.target = None
        if target_rate is not None:
            # The config's copy, so that both have sublayers of equal names.
            config = {**self.online.get_config(), "name": "target"}
            self.target = Network.from_config(config)
        self._loss_trackers = {
            objective.name: keras.metrics.Mean(name=f"{objective.name}_loss")
            for objective in self.online.objectives
        }
        self._skipped = SkippedSteps(name="skipped_steps")
        self.build(None)

    def build(self, input_shape: Shape | None = None) -> None:
        # Schedules in losses hang on this counter: the optimizer's is out of
        # sight in compute_loss on JAX.
        self.updates = self.add_weight(
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            name="updates",
        )
        self.online.build()
        self.online.follow(self.updates)
        # Statistics and centres are averages already. By what a weight is,
        # not by whether it is frozen for now.
        self._averaged = tuple(w.trainable for w in self.online.weights)
        if self.target is not None:
            self.target.build()
            self.target.trainable = False
            # By value: assigned variables would share buffers on JAX, which
            # the first step would then donate twice.
            self.target.set_weights(self.online.get_weights())

    def get_build_config(self) -> None:
        # __init__ builds; a second build would double the variables.
        return None

    @property
    def encoder(self) -> keras.layers.Layer:
        """The online network's image encoder."""
        return self.online.encoder

    @property
    def skipped_in_a_row(self) -> keras.Variable:
        """How many steps up to the last one were not finite, in a row."""
        return self._skipped.in_a_row

    def network(self, network: str | None = None) -> Network:
        """The network of a name.

        Args:
            network: `"target"`, `"online"`, or None for the target network
                where there is one, else the online network.

        Returns:
            A `keras_ab.models.Network`.
        """
        if network is None:
            return self.online if self.target is None else self.target
        if network == "online":
            return self.online
        if network == "target" and self.target is not None:
            return self.target
        has = "'online'" if self.target is None else "'online' or 'target'"
        raise ValueError(f"`network` must be {has}. Received: {network!r}")

    # Training.

    def compile(
        self,
        optimizer: str | dict[str, Any] | keras.optimizers.Optimizer = "adamw",
        encoder_passes: int = 1,
        **kwargs: Any,
    ) -> None:
        """Configures training; see `keras.Model.compile`.

        Weight decay is confined to kernels, and a learning-rate schedule
        counts updates even under gradient accumulation. Exclusions from
        weight decay that the optimizer brings are replaced.

        Args:
            optimizer: A Keras optimizer, its name or its config.
            encoder_passes: Int, how many parts of a batch the image and the
                text encoder take one after the other. Losses, and so the
                gradient, are still those of the whole batch; the encoders'
                inner values are computed a second time for it, and exist for
                one part at a time. 1 takes all at once.
            **kwargs: As in `keras.Model.compile`, except for `loss` and
                `loss_weights`, which the objectives bring.
        """
        for key in ("loss", "loss_weights"):
            if kwargs.pop(key, None) is not None:
                raise ValueError(
                    f"{type(self).__name__} takes its losses and their "
                    f"weights from its objectives. Received: `{key}`"
                )
        check_passes(encoder_passes, self.online)
        for network in filter(None, (self.online, self.target)):
            network.passes = encoder_passes
        if self.target is not None:
            # `model.trainable = True` reaches every layer, this one too.
            self.target.trainable = False
        self._wanted_jit_compile = kwargs.get("jit_compile", "auto")
        kwargs["jit_compile"] = distribution.jit_compile(
            self._distribution, self._wanted_jit_compile
        )
        optimizer = keras.optimizers.get(optimizer)
        optimizers.decay_kernels_only(optimizer, self.trainable_variables)
        optimizers.count_updates(optimizer)
        super().compile(optimizer=optimizer, **kwargs)
        self.optimizer.build(self.trainable_variables)

    def get_compile_config(self) -> dict[str, Any] | None:
        config = super().get_compile_config()
        if not config:
            # A model may be saved before it is compiled.
            return config
        # Keras writes down what "auto" meant on this backend.
        config["jit_compile"] = self._wanted_jit_compile
        config["encoder_passes"] = self.online.passes
        return optimizers.portable(config)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = optimizers.portable(config)
        if keras.backend.backend() == "torch":
            # Keras refuses any other number there.
            config["steps_per_execution"] = 1
        self.compile(**keras.saving.deserialize_keras_object(config))

    def check(self, batch: Batch) -> None:
        """Raises `ValueError` for a batch that this model cannot train on.

        Args:
            batch: The nested dict that `fit` consumes.
        """
        distribution.check_batch(batch, self._distribution)
        for objective in self.online.objectives:
            objective.check(batch)

    def fit(
        self, x: Any = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains the model; see `keras.Model.fit`.

        The first batch is checked before anything is compiled. Callbacks
        that have a method `on_first_batch` are called with it.

        Args:
            x: A `tf.data.Dataset` (or another source that Keras takes) of
                nested dicts.
            *args: As in `keras.Model.fit`.
            **kwargs: As in `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: If the first batch lacks a key, or holds something
                that an objective cannot use.
        """
        # Keras' second and third positions are y and batch_size.
        batch_size = args[1] if len(args) > 1 else kwargs.get("batch_size")
        distribution.check_same(
            self._distribution, self.optimizer, self.steps_per_execution
        )
        batch, x = first_batch(x, batch_size)
        batch = distribution.global_batch(batch)
        x = distribution.without_bools(x, self._distribution)
        self._prepare(batch)
        self._show(batch, args[4] if len(args) > 4 else kwargs.get("callbacks"))
        held_out = kwargs.get("validation_data")
        if held_out is not None:
            if isinstance(held_out, tuple):
                held_out = held_out[0]
            size = kwargs.get("validation_batch_size", batch_size)
            batch, held_out = first_batch(held_out, size)
            kwargs["validation_data"] = distribution.without_bools(
                held_out, self._distribution
            )
            self._check_known(distribution.global_batch(batch))
        if hasattr(x, "element_spec") and len(args) < 8:
            # A tf.data.Dataset has its order, as Keras would warn.
            kwargs.setdefault("shuffle", False)
        return super().fit(x, *args, **kwargs)

    @staticmethod
    def _show(batch, callbacks):
        """Hands the first batch to the callbacks that want to see it."""
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = callbacks.callbacks
        for callback in keras.tree.flatten(callbacks):
            if hasattr(callback, "on_first_batch"):
                callback.on_first_batch(batch)

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The losses on held-out batches; see `keras.Model.evaluate`."""
        # `fit` has looked at its validation data itself.
        if not kwargs.get("_use_cached_eval_dataset"):
            size = args[1] if len(args) > 1 else kwargs.get("batch_size")
            batch, x = first_batch(x, size)
            x = distribution.without_bools(x, self._distribution)
            self._check_known(distribution.global_batch(batch))
        return super().evaluate(x, *args, **kwargs)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self._prepare(distribution.global_batch(as_arrays(x)))
        return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_known(distribution.global_batch(as_arrays(x)))
        return super().test_on_batch(x, *args, **kwargs)

    def _check_known(self, batch):
        # None is of data that cannot be looked into.
        if batch is not None:
            self.check(batch)

    def _prepare(self, batch):
        if batch is None:
            return
        self.check(batch)
        if int(ops.convert_to_numpy(self.updates)) > 0:
            return
        for network in filter(None, (self.online, self.target)):
            for objective in network.objectives:
                objective.prepare(batch, network)

    def call(self, batch: Batch, training: bool = False) -> dict[str, Tensors]:
        return self.online(batch, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        del y, sample_weight
        updates = ops.convert_to_tensor(self.updates)
        lagging = self.network()
        targets = keras.tree.map_structure(
            ops.stop_gradient, lagging.targets(x)
        )
        total = 0.0
        for objective in self.online.objectives:
            name = objective.name
            # The mean over all rows, however replicas share them.
            loss = distribution.mean_of_rows(
                objective.compute_loss(y_pred[name], targets[name], updates)
            )
            if training:
                seen = keras.tree.map_structure(ops.stop_gradient, y_pred[name])
                objective.update_state(seen, targets[name], updates)
            self._loss_trackers[name].update_state(loss)
            total = total + objective.weight * loss
        for loss in self.losses:
            total = total + ops.cast(loss, "float32")
        # The optimizer adds up what the replicas' shares ask for.
        return finite_gate.poisoned(total) / distribution.num_replicas()

    def train_step(self, *args: Any) -> Any:
        if keras.backend.backend() == "jax":
            return self._functional_train_step(*args)
        with distribution.once_there(args):
            variables = self._step_variables()
            before = finite_gate.copies(variables)
            if distribution.num_replicas() > 1:
                distribution.mirrored_step(self, *args)
            else:
                super().train_step(*args)
            self._settle(variables, before)
            return self.get_metrics_result()

    def test_step(self, *args: Any) -> Any:
        with distribution.once_there(args):
            return super().test_step(*args)

    def _functional_train_step(self, state, data):
        _, new_state = super().train_step(state, data)
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        old: dict[int, Any] = {}
        new: list[tuple[Any, Any]] = []
        for group, before, after in zip(groups, state, new_state):
            old.update((id(v), value) for v, value in zip(group, before))
            new.extend(zip(group, after))
        variables = self._step_variables()
        with keras.StatelessScope(state_mapping=new) as scope:
            self._settle(variables, [old[id(v)] for v in variables])
            logs = self.get_metrics_result()
        state = tuple(
            [scope.get_current_value(v) for v in group] for group in groups
        )
        return logs, state

    def _step_variables(self):
        """All that a gradient step may change; the target is not among it."""
        target = () if self.target is None else self.target.variables
        frozen = {id(v) for v in target}
        # The loss scale must fall after a step that is not finite, so the
        # wrapper's own variables stay out.
        optimizer = optimizers.innermost(self.optimizer)
        return [
            *self.trainable_variables,
            *(v for v in self.non_trainable_variables if id(v) not in frozen),
            *optimizer.variables,
            *self.metrics_variables,
        ]

    def _settle(self, variables, before):
        """Takes back a step that is not finite, or completes one that is.

        Args:
            variables: List of variables, as `_step_variables` gives them.
            before: Their values before the step.
        """
        optimizer = optimizers.innermost(self.optimizer)
        counter = optimizers.micro_step_counter(optimizer)
        was = {id(v): value for v, value in zip(variables, before)}
        touched = [*self.trainable_variables, *optimizer.variables]
        ok = finite_gate.passes(touched, counter, was[id(counter)])
        late = {
            id(variable): updates
            for objective in self.online.objectives
            for variable, updates in objective.frozen()
        }
        updates = finite_gate.value_of(self.updates)
        finite_gate.settle(variables, before, ok, late, updates, optimizer)
        self._skipped.update_state(1.0 - ops.cast(ok, "float32"))
        made = finite_gate.value_of(counter)
        steps = optimizers.micro_steps(self.optimizer)
        updated = ops.logical_and(ok, ops.equal(made % steps, 0))
        if self.target is not None and self.target_rate is not None:
            rate = self.target_rate(updates)
            target_network.move(
                self.target, self.online, self._averaged, rate, updated
            )
        self.updates.assign_add(ops.cast(updated, "int32"))

    # Use.

    @property
    def reward_name(self) -> str:
        """Name of the objective that learns p(annotation | view)."""
        for objective in self.online.objectives:
            if isinstance(objective, Reward):
                return objective.name
        names = [objective.name for objective in self.online.objectives]
        raise ValueError(f"No objective of {names} learns a reward.")

    def encode(self, images: Tensor, network: str | None = None) -> Tensor:
        """Encodes images as patch tokens.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)`.
            network: `"target"`, `"online"`, or None for the target network
                where there is one.

        Returns:
            Floats of shape `(B, T, hidden_dim)`: patch tokens in raster
            order, without a class token.

        Raises:
            ValueError: If the images have another rank or channel count, or
                are floats outside [-1, 1].
        """
        network = self.network(network)
        with no_gradients():
            tokens = network.encode(as_images(images))
            return network.encoder.patch_tokens(tokens)

    def pool(self, images: Tensor, network: str | None = None) -> Tensor:
        """Encodes images as one vector each.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)`.
            network: As in `encode`.

        Returns:
            Floats of shape `(B, hidden_dim)`: the encoder's pooled tokens.
        """
        network = self.network(network)
        with no_gradients():
            return network.encoder.pool(network.encode(as_images(images)))

    def embed_images(
        self, images: Tensor, network: str | None = None
    ) -> Tensor:
        """Embeds images in the space of annotations.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)`.
            network: As in `encode`.

        Returns:
            Float32 of shape `(B, projection_dim)`, unit length.
        """
        reward = self.network(network).objective(self.reward_name)
        with no_gradients():
            return reward.embed_images(self.pool(images, network))

    def embed_annotations(
        self, annotations: Any, network: str | None = None
    ) -> Tensor:
        """Embeds annotations in the space of images.

        Args:
            annotations: What the reward understands: strings or token ids
                `(L, T)` for CLIP, images for SimCLR, indices or names (None
                for all) where the set of annotations is fixed.
            network: As in `encode`.

        Returns:
            Float32 of shape `(L, projection_dim)`, unit length.
        """
        network = self.network(network)
        reward = network.objective(self.reward_name)
        with no_gradients():
            features = reward.featurize(annotations, network)
            return reward.embed_annotations(features)

    def reward(
        self, images: Tensor, annotations: Any, network: str | None = None
    ) -> Tensor:
        """p(annotation | image), over the annotations given.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)`.
            annotations: As in `embed_annotations`.
            network: As in `encode`.

        Returns:
            Float32 of shape `(B, L)`; rows sum to 1, so that a single
            annotation has 1.

        Reference:
            Equation 3.
        """
        network = self.network(network)
        reward = network.objective(self.reward_name)
        with no_gradients():
            features = reward.featurize(annotations, network)
            images = as_images(images)
            pooled = network.encoder.pool(network.encode(images))
            logits = reward.image_logits(images, pooled, features)
            return ops.softmax(logits, axis=-1)

    def save_to_preset(self, path: PathLike, card: str | None = None) -> None:
        """Saves the model as a preset, in KerasHub's format.

        `keras_ab.presets.load` opens it. It holds what the model is and all
        of its weights, not how it was compiled nor the optimizer.

        Args:
            path: A folder, which may hold an older preset.
            card: Text of the model card, `README.md`; None for none (see
                `keras_ab.presets.model_card`).

        Raises:
            FileExistsError: If there is something else than a preset.

        Example:

        >>> model.save_to_preset("abclip_mine")
        >>> again = keras_ab.presets.load("abclip_mine")
        """
        write_preset(self, path, card)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **self._base_config(),
            "encoder": serialize(self.encoder),
            "objectives": [serialize(o) for o in self.online.objectives],
        }

    def _base_config(self):
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "target_rate": keras.saving.serialize_keras_object(
                self.target_rate
            ),
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> Self:
        config = {
            key: keras.saving.deserialize_keras_object(value, custom_objects)
            if isinstance(value, (dict, list))
            else value
            for key, value in config.items()
        }
        return cls(**config)
