"""Typed options of a recipe, from the command line."""

import argparse
import dataclasses

from recipes import memory


def option(default, help, choices=None):
    """A field of an options dataclass, with its help.

    Args:
        default: The default value, whose type the command line converts to.
        help: What the option means, and where its value comes from.
        choices: The values there are, or None for any.

    Returns:
        A dataclass field.
    """
    return dataclasses.field(
        default=default, metadata={"help": help, "choices": choices}
    )


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What every recipe's options begin with."""

    size: str = option("S", "ViT (and text transformer); section 4")
    image_size: int = option(224, "side of a view in pixels")
    patch_size: int = option(16, "side of a patch in pixels")
    views: int = option(800_000_000, "view budget, each view counted; sec. 4")
    scenes: str = option(
        "",
        "MODULE:NAME of a function with the arguments of keras_ab.data.Scenes "
        "that returns a source, in place of the built-in scenes",
    )
    images: int = option(20_000, "scenes")
    test: int = option(2_000, "held-out scenes")
    workers: int = option(2, "processes that paint the scenes")
    seed: int = option(0, "of the weights, the order and the crops")
    output: str = option("runs/recipe", "folder of the run")
    resume: str = option(
        "auto",
        "'auto' goes on where the run was cut off, 'never' starts it anew",
        choices=("auto", "never"),
    )
    json: str = option("", "file for the figures; '' for results.json there")
    encoder_passes: int = option(1, "parts of a batch, one after the other")
    compiled: str = option(
        "", "folder of JAX's compiled steps; '' for one there, 'none' for none"
    )
    monitor_every: int = option(50, "steps between readings; 0 for none")
    evaluate: bool = option(True, "measure the model when it has trained")
    collect_every: int = option(0, "steps between looks inside; 0 for none")
    dry_run: bool = option(False, "print sizes and schedules, and stop")
    plan: str = option(
        "",
        "a device: print too whether a step fits on it, and stop",
        choices=("", *memory.DEVICES),
    )


def parse(scales, description, argv=None):
    """Reads options: a scale, and whatever overrides it.

    Args:
        scales: Dict from names of scales to options (dataclass instances);
            the first is the default, each other one gets a flag `--name`.
        description: The recipe's docstring.
        argv: List of strings; by default the command line.

    Returns:
        An options instance.
    """
    default = next(iter(scales.values()))
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_mutually_exclusive_group()
    for name in list(scales)[1:]:
        group.add_argument(
            f"--{name}",
            dest="scale",
            action="store_const",
            const=name,
            help=f"start from the settings of the {name} scale",
        )
    for field in dataclasses.fields(default):
        kind = type(field.default)
        flag = f"--{field.name.replace('_', '-')}"
        if kind is bool:
            parser.add_argument(
                flag,
                action=argparse.BooleanOptionalAction,
                help=field.metadata["help"],
            )
            continue
        parser.add_argument(
            flag,
            type=kind,
            choices=field.metadata["choices"],
            metavar=kind.__name__.upper(),
            help=f"{field.metadata['help']} ({_values(scales, field.name)})",
        )
    given = vars(parser.parse_args(argv))
    scale = given.pop("scale") or next(iter(scales))
    given = {k: v for k, v in given.items() if v is not None}
    return dataclasses.replace(scales[scale], **given)


def _values(scales, name):
    """What an option is by default: once, or by scale where they differ."""
    # An empty string alone would not be seen.
    values = [str(getattr(scale, name)) or "''" for scale in scales.values()]
    if len(set(values)) == 1:
        return f"default {values[0]}"
    return ", ".join(map(" ".join, zip(scales, values)))
