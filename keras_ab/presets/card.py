"""Model cards: what a model is, what it learnt from, and how good it is."""

import json
import pathlib
import shlex
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from keras_ab.models import Pretrainer
from keras_ab.typing import PathLike

UNKNOWN = "not stated"
# Options of a recipe that change nothing about the model, and so may differ
# when a run goes on.
FREE = (
    "output",
    "resume",
    "json",
    "compiled",
    "workers",
    "test",
    "monitor_every",
    "evaluate",
    "collect_every",
    "dry_run",
    "plan",
)


def model_card(
    model: Pretrainer,
    name: str,
    results: Sequence[Mapping[str, Any]] = (),
    data: str | None = None,
    recipe: str | None = None,
    views: int | None = None,
    commit: str | None = None,
    limits: str | None = None,
) -> str:
    """The text of a model card, with KerasHub's front matter.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        name: String, the preset's name.
        results: Dicts that a recipe (`results.json`) or `python -m
            keras_ab.probes --json` wrote. What they say of recipe, views and
            figures goes into the card.
        data: What it was trained on.
        recipe: The command that trained it.
        views: Int, views that it saw.
        commit: String, the commit of the code.
        limits: What it cannot do, and should not be used for.

    Returns:
        Markdown. What is not known is said to be not stated.

    Example:

    >>> card = keras_ab.presets.model_card(model, "mine", data="my photos")
    >>> "my photos" in card
    # True
    """
    trained = next((r for r in results if "options" in r), {})
    options = trained.get("options", {})
    encoder = model.encoder
    facts = {
        "Method": type(model).__name__,
        "Encoder": f"{type(encoder).__name__}, {encoder.hidden_dim} wide, "
        f"images of {' x '.join(map(str, encoder.image_shape))}",
        "Numbers": f"{model.count_params():,}"
        + (" (online and target network)" if model.target is not None else ""),
        "Data": data or data_of(options),
        "Views": f"{views or options.get('views', 0):,}"
        if views or options
        else UNKNOWN,
        "Recipe": f"`{recipe or _command(trained)}`"
        if recipe or options
        else UNKNOWN,
        "Commit": commit or UNKNOWN,
        "Backend of the training": trained.get("backend", UNKNOWN),
    }
    lines = [
        "---",
        "library_name: keras",
        "pipeline_tag: image-feature-extraction",
        "---",
        f"# {name}",
        "",
        "Opens with keras_ab on JAX, TensorFlow and PyTorch:",
        "",
        "    import keras_ab",
        f'    model = keras_ab.presets.load("{name}")',
        "",
        "| | |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in facts.items()),
        "",
        "## Results",
        "",
        *_table(figures(results)),
        "",
        "## Limits",
        "",
        limits or UNKNOWN.capitalize() + ".",
        "",
    ]
    return "\n".join(lines)


def figures(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The figures of result files of recipes and of `keras_ab.probes`.

    Args:
        results: As in `model_card`.

    Returns:
        List of dicts: `"name"`, `"value"`, `"interval"` (a pair, or None),
        `"chance"` and `"untrained"` (or None), shares of 1.
    """
    found = []
    for result in results:
        if "results" in result:
            for measured in result["results"]:
                outcome = measured["outcomes"][0]
                found.append(
                    {
                        "name": f"{measured['task']}, {measured['probe']}",
                        "value": outcome["value"],
                        "interval": outcome.get("interval"),
                        "chance": outcome.get("chance"),
                        "untrained": None,
                    }
                )
            continue
        # A recipe measures the target network, where there is one.
        branch = "target" if "target" in result else "online"
        headline = dict(result.get(branch, {}))
        intervals = headline.pop("intervals", {})
        for name, value in headline.items():
            found.append(
                {
                    "name": name.replace("_", " "),
                    "value": value,
                    "interval": intervals.get(name),
                    "chance": result.get("chance", {}).get(name),
                    "untrained": result.get("untrained", {}).get(name),
                }
            )
    return found


def _table(figures):
    if not figures:
        return ["Not measured."]
    lines = [
        "| % | value | 95% | untrained | chance |",
        "|---|---|---|---|---|",
    ]
    for figure in figures:
        low, high = figure["interval"] or (None, None)
        spread = "–" if low is None else f"[{_percent(low)}, {_percent(high)}]"
        lines.append(
            f"| {figure['name']} | {_percent(figure['value'])} | {spread} | "
            f"{_percent(figure['untrained'])} | {_percent(figure['chance'])} |"
        )
    return lines


def _percent(share):
    return "–" if share is None else f"{100 * share:.1f}"


def data_of(options: Mapping[str, Any]) -> str:
    """What a run was trained on, in words.

    Args:
        options: Dict, the options that its results.json holds; may be empty.

    Returns:
        String.
    """
    if not options:
        return UNKNOWN
    folders = {
        key: options[key]
        for key in ("source", "reward", "value", "unlabelled")
        if options.get(key)
    }
    if folders:
        return ", ".join(f"{key}: {place}" for key, place in folders.items())
    if options.get("scenes"):
        said = f"{options.get('images', 0):,} records of {options['scenes']}"
    else:
        said = f"{options.get('images', 0):,} built-in scenes (`keras_ab.data"
        said += ".Scenes`)"
    if "captioned" in options:
        said += f", {options['captioned']:,} of them with captions"
    return said


def _command(trained):
    """The recipe's command with all of its options."""
    method = trained.get("method", "METHOD")
    module = method.replace("ab", "ab_", 1) if method[:2] == "ab" else method
    words = ["python", "-m", f"recipes.{module}"]
    for key, value in trained.get("options", {}).items():
        flag = key.replace("_", "-")
        if key in FREE or value in ("", None):
            continue
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return shlex.join(words)


def read_results(path: PathLike) -> dict[str, Any]:
    """Reads a result file.

    Args:
        path: Path of what a recipe or `keras_ab.probes` wrote.

    Returns:
        A dict.

    Raises:
        ValueError: If it is neither.
    """
    try:
        found = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict) or not {"options", "results"} & set(found):
        raise ValueError(
            f"{path} must be what a recipe wrote (with `options`), or "
            "`python -m keras_ab.probes --json` (with `results`)."
        )
    return found
