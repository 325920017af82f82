"""A process that times the candidates of one backend, when it is asked.

    python -m benchmarks.peers.serve BACKEND --batch 16 --images 4

Its first line is `ready` and a JSON of what it can time, the FLOPs that XLA
counts, the versions of the libraries, and what is missing, and why. Then it
reads names, and answers each with seconds.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import sys
import time

MATMUL, PRODUCTS = 2048, 8
# Of a method, each turn: what `fit` does once is a small part of that.
STEPS = 3


def matmul():
    """Products of square matrices on JAX, the machine's peak in practice."""
    import jax

    ones = jax.numpy.ones((MATMUL, MATMUL)) / MATMUL

    @jax.jit
    def products(x):
        for _ in range(PRODUCTS):
            x = x @ ones
        return x

    def work():
        jax.block_until_ready(products(ones))

    work.flops = PRODUCTS * 2 * MATMUL**3
    return work


def steps_on_jax(images):
    """ABCLIP's step by fit and bare, and CLIP's on as many views."""
    import dataclasses

    import keras
    import numpy as np

    from benchmarks import step
    from keras_ab import data
    from recipes import clip

    losses = {}
    candidates, model, batch = step.ab_candidates(images, STEPS, losses)
    found = {
        "ab_step": candidates["fit"],
        "ab_bare_jax": candidates["bare"],
    }
    found["ab_step"].flops = STEPS * step.flops(model, batch)
    views = 4 * images
    options = dataclasses.replace(
        clip.PAPER,
        reward_batch_size=views,
        views=1_000 * views,
        warmup_steps=1,
    )
    words = [f"word{i}" for i in range(8_000)]
    tokenizer = data.WordTokenizer.from_texts(words, sequence_length=64)
    model, _ = clip.build(options, tokenizer)
    rewarded = keras.tree.map_structure(
        lambda x: np.concatenate([x, x]), batch["reward"]
    )
    found["clip_step"] = step.fitting(
        model, {"reward": rewarded}, STEPS, losses, "clip"
    )
    found["clip_step"].flops = STEPS * step.flops(model, {"reward": rewarded})
    return found


def makers(backend, batch, images):
    """What a backend can time.

    Args:
        backend: String.
        batch: Int, images of a ViT's batch.
        images: Int, of a method's batch.

    Returns:
        Dict from names to functions that make what is timed.
    """
    from benchmarks.peers import methods
    from benchmarks.peers import vit

    pixels = vit.images(batch)
    if backend == "jax":
        return {
            "matmul": matmul,
            "vit_jax": lambda: vit.keras_on_jax(vit.ours())(pixels),
            "vit_big_vision": lambda: vit.big_vision()(pixels),
            "vit_kerashub_jax": lambda: vit.keras_on_jax(vit.kerashub())(
                pixels
            ),
        }
    if backend == "tensorflow":
        kinds = {"tensorflow": False, "tensorflow_xla": True}
        return {
            f"{name}_{kind}": lambda make=make, xla=xla: (
                vit.keras_on_tensorflow(make(), xla)(pixels)
            )
            for kind, xla in kinds.items()
            for name, make in (
                ("vit", vit.ours),
                ("vit_kerashub", vit.kerashub),
            )
        }
    return {
        "vit_torch": lambda: vit.keras_on_torch(vit.ours())(pixels),
        "vit_kerashub_torch": lambda: vit.keras_on_torch(vit.kerashub())(
            pixels
        ),
        "vit_timm": lambda: vit.timm()(pixels),
        "simclr_torch": lambda: methods.our_simclr(2 * images, STEPS),
        "simclr_lightly": lambda: methods.lightly_simclr(2 * images, STEPS),
        "dino_torch": lambda: methods.our_dino(images, STEPS),
        "dino_lightly": lambda: methods.lightly_dino(images, STEPS),
    }


def versions():
    """Of the libraries that are installed."""
    found = {}
    for name in (
        *("keras", "keras-hub", "jax", "flax", "tensorflow"),
        *("tensorflow-cpu", "torch", "timm", "lightly"),
    ):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--parts", nargs="+", required=True)
    parser.add_argument("--big-vision")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = options.backend
    if options.big_vision:
        sys.path.append(options.big_vision)
    # What libraries print must not stand between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    found, missing = {}, {}
    for name, make in makers(
        options.backend, options.batch, options.images
    ).items():
        if name != "matmul" and name.partition("_")[0] not in options.parts:
            continue
        try:
            found[name] = make()
        except ImportError as error:
            missing[name] = str(error)
    if options.backend == "jax" and "ab" in options.parts:
        found.update(steps_on_jax(options.images))
    for work in found.values():
        work()
    said = {
        "flops": {
            name: work.flops
            for name, work in found.items()
            if hasattr(work, "flops")
        },
        "candidates": list(found),
        "missing": missing,
        "versions": versions(),
    }
    print("ready", json.dumps(said), file=answers, flush=True)
    for line in sys.stdin:
        work = found[line.strip()]
        started = time.perf_counter()
        work()
        print(time.perf_counter() - started, file=answers, flush=True)


if __name__ == "__main__":
    main()
