"""Classification by class names."""

import numpy as np
from keras import ops

from keras_ab.probes.features import extract_views


def zero_shot_predict(model, images, prompts, network=None, batch_size=256):
    """Classifies images by the caption that fits best.

    Args:
        model: A `keras_ab.models.Pretrainer` whose reward takes captions.
        images: uint8 of shape `(B, H, W, 3)`, resized to the encoder's size.
        prompts: List of strings, one a class; or a list of lists of strings,
            several a class, whose embeddings are averaged.
        network: As in `keras_ab.probes.extract_features`.
        batch_size: Int, images to a call.

    Returns:
        Ints of shape `(B,)`.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=8)
    >>> images = np.stack([scenes[i]["image"] for i in range(8)])
    >>> keras_ab.probes.zero_shot_predict(model, images, scenes.prompts())

    Reference:
        Radford et al. 2021.
    """
    classes = [[p] if isinstance(p, str) else list(p) for p in prompts]
    texts = [text for group in classes for text in group]
    embedded = np.asarray(
        ops.convert_to_numpy(model.embed_annotations(texts, network))
    )
    ends = np.cumsum([len(group) for group in classes])[:-1]
    means = np.stack([part.mean(0) for part in np.split(embedded, ends)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    size = model.encoder.image_shape[:2]
    predictions = []
    for start in range(0, len(images), batch_size):
        views = extract_views(images[start : start + batch_size], size)
        embedded = ops.convert_to_numpy(model.embed_images(views, network))
        predictions.append((embedded @ means.T).argmax(1))
    return np.concatenate(predictions)
