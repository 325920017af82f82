"""Gradient alignment and curriculum, against computations of another kind."""

import numpy as np
import pytest
from keras import ops

from keras_ab import analysis
from keras_ab import backbones
from keras_ab import models
from tests.gradients import model_gradients
from tests.models import crops
from tests.models import factory


def slip():
    return models.SLIP(
        factory.image_encoder(),
        factory.text_encoder(),
        factory.tokenizer(),
        projection_dim=8,
        ssl_projection_dim=8,
        ssl_hidden_dims=(8,),
    )


def slip_batch():
    batch = factory.batch()
    views = np.random.default_rng(3).integers(0, 256, (4, 2, 16, 16, 3))
    return {
        "reward": batch["reward"],
        "views": {"image": views.astype("uint8")},
    }


def reweighted(model, term):
    """The gradient of the total in which one term alone counts, and once."""
    weights = {o.name: o.weight for o in model.online.objectives}
    for objective in model.online.objectives:
        objective.weight = float(objective.name == term)
    return weights


def by_the_total(model, batch, term):
    """A term's loss and gradient at the encoder, as training computes them."""
    before = [np.array(ops.convert_to_numpy(v)) for v in model.variables]
    weights = reweighted(model, term)
    loss, gradients = model_gradients(model, batch)
    for objective in model.online.objectives:
        objective.weight = weights[objective.name]
    for variable, value in zip(model.variables, before):
        variable.assign(value)
    return loss, np.concatenate(
        [
            np.zeros(v.shape).ravel()
            if gradients[v.path] is None
            else np.array(gradients[v.path], "float64").ravel()
            for v in model.encoder.trainable_variables
        ]
    )


def cases():
    yield "abclip", factory.abclip, factory.batch, ("reward", "value")
    yield "slip", slip, slip_batch, ("reward", "ssl")


@pytest.mark.parametrize(
    "make, batch, terms",
    [
        pytest.param(*c[1:], id=c[0], marks=pytest.mark.slow if n else ())
        for n, c in enumerate(cases())
    ],
)
def test_alignment_of_what_training_computes(make, batch, terms):
    model, batch = make(), batch()
    model.compile("sgd")
    state = [np.array(ops.convert_to_numpy(v)) for v in model.variables]
    found = analysis.EncoderGradients(model)(batch)
    for variable, value in zip(model.variables, state):
        # Not even batch statistics and seeds have moved.
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)
    both = {term: by_the_total(model, batch, term) for term in terms}
    losses = [loss for loss, _ in both.values()]
    expected = {term: gradient for term, (_, gradient) in both.items()}
    assert set(found) == set(expected)
    for term, gradient in expected.items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(found[term], gradient, atol=2e-4 * scale)
    one, other = expected.values()
    sizes = np.linalg.norm(one), np.linalg.norm(other)
    alignment = analysis.GradientAlignment([batch], *terms)(model)
    np.testing.assert_allclose(
        alignment["cosine"], one @ other / np.prod(sizes), atol=1e-4
    )
    np.testing.assert_allclose(
        [alignment[f"{t}_norm"] for t in terms], sizes, rtol=1e-3
    )
    np.testing.assert_allclose(
        [alignment[f"{t}_loss"] for t in terms], losses, rtol=1e-4
    )


def test_alignment_is_a_mean_over_batches():
    model, several = factory.abclip(), [factory.batch(seed=s) for s in (0, 1)]
    model.compile("sgd")
    apart = [analysis.GradientAlignment([one])(model) for one in several]
    assert abs(apart[0]["cosine"] - apart[1]["cosine"]) > 1e-3
    both = analysis.GradientAlignment(several)(model)
    for name, value in both.items():
        mean = np.mean([one[name] for one in apart])
        np.testing.assert_allclose(value, mean, rtol=1e-4, atol=1e-6)


def test_gradients_are_slopes_of_the_losses():
    """Central differences of the losses that Keras logs."""
    model = factory.abclip(value_scale=3.0, value_bias=-1.0)
    batch = factory.batch()
    factory.compile(model)
    found = analysis.EncoderGradients(model)(batch)
    weights = model.encoder.trainable_variables
    rng = np.random.default_rng(0)
    start = [np.array(ops.convert_to_numpy(v)) for v in weights]
    # One direction among all weights, in which both losses change, and more.
    flat = sum(g / np.linalg.norm(g) for g in found.values())
    flat = flat + 0.3 * rng.normal(size=flat.shape) / np.sqrt(flat.size)
    ends = np.cumsum([v.size for v in start])[:-1]
    parts = zip(np.split(flat, ends), start)
    towards = [part.reshape(value.shape) for part, value in parts]
    step = 3e-3

    def losses(distance):
        for variable, value, direction in zip(weights, start, towards):
            variable.assign(value + distance * direction)
        logs = model.test_on_batch(batch, return_dict=True)
        return {term: float(logs[f"{term}_loss"]) for term in found}

    up, down = losses(step), losses(-step)
    for term, gradient in found.items():
        slope = (up[term] - down[term]) / (2 * step)
        np.testing.assert_allclose(gradient @ flat, slope, rtol=0.01)


def curriculum_oracle(model, batch, step=1e-2):
    """Norms by moving each view's tokens along each axis, one at a time.

    Returns:
        Norms `(B,)`, by central differences of the model's own losses.
    """
    value = model.online.objective("value")
    reward = model.online.objective("reward")
    views, boxes = batch["value"]["image"], batch["value"]["boxes"]
    count, number = boxes.shape[:2]
    y = factory.bellman_targets(model.target, batch)
    features = reward.annotations(batch, model.online)
    norms = np.zeros(count)
    for b in range(count):
        tokens = np.array(
            ops.convert_to_numpy(model.encode(views[b], "online"))
        )
        low, size = boxes[b, :, :2], boxes[b, :, 2:] - boxes[b, :, :2]
        corners = boxes[b].reshape(1, number, 2, 2) - low[:, None, None]
        actions = (corners / size[:, None, None]).reshape(number, number, 4)

        def loss(tokens, actions=actions, b=b):
            logits = value.value_logits(tokens, actions, features)
            logits = np.array(ops.convert_to_numpy(logits), "float64")
            terms = np.logaddexp(0, logits) - logits * y[b][None]
            return terms.sum() / number**2

        for view, axis in np.ndindex(number, tokens.shape[-1]):
            moved = np.zeros_like(tokens)
            moved[view, :, axis] = step
            slope = (loss(tokens + moved) - loss(tokens - moved)) / (2 * step)
            norms[b] += slope**2
    return np.sqrt(norms)


def narrow_abclip():
    encoder = backbones.ViT((16, 16, 3), 8, 8, 1, 2, 16, name="image_encoder")
    return models.ABCLIP(
        encoder,
        factory.text_encoder(),
        factory.tokenizer(),
        decoder=backbones.AnnotationDecoder.from_size(
            "test", num_layers=1, name="decoder"
        ),
        projection_dim=8,
        value_bias=-1.0,
        value_scale=3.0,
    )


@pytest.mark.slow
def test_curriculum_against_differences():
    model, batch = narrow_abclip(), factory.batch(values=3)
    # In three pieces of at most one image, and all at once.
    found = [analysis.Curriculum(batch, n)(model) for n in (1, 64)]
    norms = found[0]["norms"]
    np.testing.assert_allclose(norms, found[1]["norms"], rtol=1e-4)
    np.testing.assert_allclose(
        norms, curriculum_oracle(model, batch), rtol=0.02
    )
    assert len(set(norms)) == 3
    assert found[0]["median"] == np.median(norms)
    low, high = np.percentile(norms, [10, 90])
    np.testing.assert_allclose(found[0]["spread"], high / low, rtol=1e-6)


@pytest.mark.slow
def test_curriculum_of_prototypes():
    model = crops.abdino()
    batch = crops.of(model, crops.batch())
    norms = analysis.Curriculum(batch)(model)["norms"]
    assert norms.shape == (3,)
    assert (norms > 0).all()


def test_wrong_use():
    with pytest.raises(ValueError, match="No objective is named 'ssl'"):
        analysis.EncoderGradients(factory.abclip(), ["ssl"])
    with pytest.raises(ValueError, match="hold a batch.*none"):
        analysis.GradientAlignment([])
    with pytest.raises(ValueError, match="images_per_call.*0"):
        analysis.Curriculum(factory.batch(), 0)
    with pytest.raises(ValueError, match="nested dicts.*reward"):
        analysis.EncoderGradients(factory.clip())({})


def test_a_term_without_the_encoder_has_no_gradient():
    model = factory.abclip()
    # Every annotation is the same point, whatever the view.
    for weight in model.online.objective("value").annotation_head.weights:
        weight.assign(np.zeros(weight.shape))
    found = analysis.EncoderGradients(model)(factory.batch())
    assert not found["value"].any()
    assert found["reward"].any()
    alignment = analysis.GradientAlignment(factory.batch())
    assert alignment(model)["cosine"] == 0.0


def test_batches_of_tf_data():
    import tensorflow as tf

    model, batch = factory.abclip(), factory.batch()
    tensors = next(iter(tf.data.Dataset.from_tensors(batch)))
    for measure in (analysis.Curriculum, analysis.GradientAlignment):
        wanted, found = measure(batch)(model), measure(tensors)(model)
        for key, value in wanted.items():
            np.testing.assert_array_equal(found[key], value, err_msg=key)
    wanted, found = (
        analysis.value_accuracy(model, some) for some in (batch, tensors)
    )
    np.testing.assert_array_equal(found["accuracy"], wanted["accuracy"])
