"""What a recipe would do, without data: sizes, schedules, parameters, FLOPs."""

import collections
import math

import keras
from keras import ops

from keras_ab import data
from recipes import budget
from recipes import flops
from recipes import memory
from recipes import runs

WORDS = 32_000


def tokenizer():
    """Stands in for one that is learnt on captions: 32,000 words, 64 a text.

    Returns:
        A `keras_ab.data.WordTokenizer` whose words mean nothing.
    """
    # Two more are the tokenizer's own.
    words = (str(i) for i in range(WORDS - 2))
    return data.WordTokenizer(words, sequence_length=64)


def report(method, model, steps, options):
    """Prints what there is to know of a run, and writes it as JSON.

    Args:
        method: String, the method's name.
        model: The compiled `keras_ab.models.Pretrainer`.
        steps: Int, updates of the whole run.
        options: The recipe's options; `json` names the file, `''` for none.

    Returns:
        The dict that is written.
    """
    plan = {
        "method": method,
        "batch": budget.batch(options),
        "views_per_image": budget.views_per_image(options),
        "views_per_step": budget.views_per_step(options),
        "views": options.views,
        "steps": steps,
        "schedule": schedule(model, steps, options.warmup_steps),
        "clip_norm": model.optimizer.global_clipnorm,
        "parameters": parameters(model),
        "flops_per_step": {**flops.per_step(model, options)},
        "flops_method": flops.METHOD,
        "encoder_passes": model.online.passes,
        "bytes": memory.per_step(model, options),
        "bytes_method": memory.METHOD,
    }
    if options.plan:
        total = plan["flops_per_step"]["total"]
        plan["plan"] = memory.verdict(model, options, total, options.plan)
    show(plan)
    if options.json:
        runs.write_results(options.json, plan)
    return plan


def schedule(model, steps, warmup_steps):
    """What changes during a run, at a few of its updates.

    Read from the compiled model itself.

    Args:
        model: The compiled `keras_ab.models.Pretrainer`.
        steps: Int, updates of the whole run.
        warmup_steps: Int, updates of the warm-up.

    Returns:
        Dict from names of moments to dicts of a step and values; None where
        there is no such thing.
    """
    moments = {
        "start": 0,
        "warmup_end": warmup_steps,
        "quarter": steps // 4,
        "half": steps // 2,
        "last": steps - 1,
    }
    config = model.optimizer.get_config()
    teachers = [
        objective.teacher_temperature
        for objective in model.online.objectives
        if hasattr(objective, "teacher_temperature")
    ]
    columns = {
        "learning_rate": _restored(config["learning_rate"]),
        "weight_decay": _restored(config["weight_decay"]),
        "target_rate": model.target_rate,
        "teacher_temperature": next(iter(teachers), None),
    }
    return {
        name: {"step": step, **{k: _at(v, step) for k, v in columns.items()}}
        for name, step in moments.items()
    }


def _restored(value):
    if isinstance(value, dict):
        return keras.saving.deserialize_keras_object(value)
    return value


def _at(value, step):
    """A number, or a schedule's at a step, or None."""
    if callable(value):
        value = float(ops.convert_to_numpy(value(step)))
    return value


def parameters(model):
    """Trained parameters of the online network, by part.

    Args:
        model: A `keras_ab.models.Pretrainer`.

    Returns:
        Dict of ints, `"total"` last. The target network, which is a copy, and
        what is not trained are left out.
    """
    counts = collections.Counter()
    encoder = {id(w) for w in model.encoder.weights}
    for weight in model.online.trainable_weights:
        # model/online/objective/layer/...
        part = ".".join(weight.path.split("/")[2:4])
        part = "encoder" if id(weight) in encoder else part
        counts[part] += math.prod(weight.shape)
    return {**counts, "total": sum(counts.values())}


def show(plan):
    """Prints a plan.

    Args:
        plan: Dict, as `report` makes it.
    """
    each = plan["views_per_image"]
    parts = " + ".join(
        f"{size} {part} images x {each[part]}"
        for part, size in plan["batch"].items()
    )
    print(f"{plan['method']}: {plan['views']:,} views")
    print(f"batch           {parts} = {plan['views_per_step']:,} views")
    print(f"steps           {plan['steps']:,}")
    print(f"gradient norm   {plan['clip_norm'] or 'not clipped'}\n")
    rows = plan["schedule"]
    names = list(rows["start"])
    print("".join(f"{name.replace('_', ' '):>21}" for name in names))
    for name, row in rows.items():
        cells = [f"{name.replace('_', ' ')} {row['step']:,}"]
        cells += [
            "-" if row[key] is None else f"{row[key]:.6g}" for key in names[1:]
        ]
        print("".join(f"{cell:>21}" for cell in cells))
    print("\ntrained parameters")
    for name, count in plan["parameters"].items():
        print(f"  {name:<26}{count:>15,}")
    print(f"\nFLOPs a step ({plan['flops_method']})")
    for name, count in plan["flops_per_step"].items():
        print(f"  {name:<26}{count:>15.4g}")
    print(f"\nexpected memory of a step ({plan['bytes_method']})")
    for name, count in plan["bytes"].items():
        print(f"  {name.replace('_', ' '):<26}{count / 1e9:>12.3f} GB")
    if "plan" in plan:
        print(f"\n{_sentence(plan['plan'])}")
    if any("text_encoder" in name for name in plan["parameters"]):
        print(f"\nThe text encoder is that of {WORDS:,} words, 64 a text.")


def _sentence(verdict):
    """What to make of a device."""
    passes = verdict["encoder_passes"]
    device = f"{verdict['device']} ({verdict['device_gb']} GB)"
    if passes is None:
        return f"A step does not fit on {device}, however the batch is taken."
    how = "" if passes == 1 else f" with `encoder_passes={passes}`"
    return (
        f"A step is expected to fit on {device}{how}, and takes "
        f"{verdict['least_seconds']:.3g} s at the peak that its maker states."
    )
