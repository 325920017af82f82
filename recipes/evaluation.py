"""What a recipe writes down when it has trained."""

import dataclasses

import keras

import keras_ab
from recipes import runs
from recipes import scenes


def finish(method, model, options, on_scenes, untrained):
    """Measures a model on held-out scenes, and writes the results.

    kNN and a linear probe always; zero-shot accuracy and the reward's where
    annotations are captions, and where there is a value function besides, its
    forced choice.

    Args:
        method: String, the method's name.
        model: The trained `keras_ab.models.Pretrainer`.
        options: The recipe's options.
        on_scenes: Bool, whether it was trained on scenes. Those that are not
            built in are not measured here, since prompts and questions would
            be about others.
        untrained: Callable that makes the same model as it was before
            training, which is measured beside it.
    """
    if not options.evaluate:
        return
    results = {
        "method": method,
        "backend": keras.backend.backend(),
        "version": keras_ab.__version__,
        "options": dataclasses.asdict(options),
    }
    if on_scenes and options.scenes:
        print(
            f"Not measured; python -m keras_ab.probes "
            f"{options.output}/checkpoints classification={options.scenes}"
        )
    elif on_scenes:
        held_out = scenes.HeldOut(
            train=max(3 * options.test // 2, 64),
            test=options.test,
            workers=options.workers,
        )
        networks = ("target", "online") if model.target else ("online",)
        for name in networks:
            results[name] = held_out.evaluate(model, name)
        results["untrained"] = held_out.evaluate(untrained(), "online")
        headline = results[networks[0]]
        results["chance"] = {
            name: value
            for name, value in held_out.chance().items()
            if name in headline
        }
        if "value_forced_choice" in headline:
            results["ceiling"] = held_out.ceiling(model)
        for name in results["chance"]:
            before = results["untrained"][name]
            print(f"{name}: {headline[name]:.3f} (untrained {before:.3f})")
    runs.write_results(
        options.json or f"{options.output}/results.json", results
    )
