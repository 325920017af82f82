"""Typed options of a recipe, from the command line."""

import argparse
import dataclasses


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
        values = ", ".join(
            f"{name} {getattr(scale, field.name)}"
            for name, scale in scales.items()
        )
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=(lambda s: s == "True") if kind is bool else kind,
            choices=field.metadata["choices"],
            metavar=kind.__name__.upper(),
            help=f"{field.metadata['help']} ({values})",
        )
    given = vars(parser.parse_args(argv))
    scale = given.pop("scale") or next(iter(scales))
    given = {k: v for k, v in given.items() if v is not None}
    return dataclasses.replace(scales[scale], **given)
