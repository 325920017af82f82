"""Configurations of presets are what the recipes build at the paper's scale."""

import dataclasses
import importlib
import inspect

import keras
import pytest

from keras_ab import models
from keras_ab.backbones import AnnotationDecoder
from keras_ab.presets import catalogue
from recipes import dry_run

RECIPES = {
    "clip": "clip",
    "simclr": "simclr",
    "dino": "dino",
    "slip": "slip",
    "silc": "silc",
    "mae": "mae",
    "ijepa": "ijepa",
    "abclip": "ab_clip",
    "absimclr": "ab_simclr",
    "abdino": "ab_dino",
}
# They hang on the length of a run, which a configuration has not.
OF_A_RUN = {
    "target_rate",
    "teacher_temperature",
    "freeze_last_layer_updates",
    "tokenizer",
}


class Asked(Exception):
    """Carries the arguments that a model was asked for with."""


def recorder(cls):
    def ask(*args, **kwargs):
        bound = inspect.signature(cls).bind(*args, **kwargs)
        bound.apply_defaults()
        raise Asked(bound.arguments)

    ask.__signature__ = inspect.signature(cls)
    return ask


def arguments(build, *args, **kwargs):
    with pytest.raises(Asked) as asked:
        build(*args, **kwargs)
    return {
        key: described(key, value)
        for key, value in asked.value.args[0].items()
        if key not in OF_A_RUN
    }


def described(key, value):
    if key == "decoder" and isinstance(value, str):
        value = AnnotationDecoder.from_size(value, name="decoder")
    if isinstance(value, keras.layers.Layer):
        return value.get_config()
    return value


def test_every_method_is_there():
    assert set(RECIPES) == set(catalogue.METHODS)


@pytest.mark.parametrize("size", catalogue.SIZES)
@pytest.mark.parametrize("method", RECIPES)
def test_a_configuration_is_its_recipe(method, size, monkeypatch):
    recipe = importlib.import_module(f"recipes.{RECIPES[method]}")
    chosen = catalogue.METHODS[method]
    options = dataclasses.replace(recipe.PAPER, size=size)
    monkeypatch.setattr(models, chosen.model.__name__, recorder(chosen.model))
    monkeypatch.setitem(
        catalogue.METHODS,
        method,
        dataclasses.replace(chosen, model=recorder(chosen.model)),
    )
    tokenizer = [dry_run.tokenizer()] if chosen.reads_text else []
    theirs = arguments(recipe.build, options, *tokenizer)
    assert arguments(catalogue.build, method, size) == theirs
    assert options.views == catalogue.PAPER_VIEWS
