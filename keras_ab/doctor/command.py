"""The command: every check, a line each."""

import argparse
import dataclasses
import json
import pathlib
from collections.abc import Iterator

import keras

from keras_ab.doctor import devices
from keras_ab.doctor import disk
from keras_ab.doctor import pages
from keras_ab.doctor import rates
from keras_ab.doctor import versions
from keras_ab.doctor.finding import Finding


def main(arguments: list[str] | None = None) -> int:
    """Runs the checks and prints what they find.

    Args:
        arguments: The command's; None for those of the process.

    Returns:
        Int, 1 if something is wrong, else 0.
    """
    options = _parser().parse_args(arguments)
    found = []
    for finding in _checks(options):
        print(finding, flush=True)
        found.append(finding)
    if options.json:
        report = {
            "backend": keras.backend.backend(),
            "findings": [dataclasses.asdict(finding) for finding in found],
        }
        text = json.dumps(report, indent=2) + "\n"
        pathlib.Path(options.json).write_text(text)
    return int(any(finding.state == "wrong" for finding in found))


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m keras_ab.doctor",
        description="Is this machine ready to train?",
    )
    parser.add_argument(
        "--source", help="data to read, as `python -m keras_ab.data` takes it"
    )
    parser.add_argument(
        "--preset", help="a name of keras_ab.presets: does it fit, is it fed"
    )
    parser.add_argument(
        "--batch-size", type=int, default=64, help="views to a device"
    )
    parser.add_argument("--output", default=".", help="where runs will write")
    parser.add_argument("--json", help="file for the same findings")
    return parser


def _checks(options) -> Iterator[Finding]:
    clashes = list(versions.check_versions())
    yield from clashes
    found = devices.devices()
    yield from devices.check_devices(found)
    if versions.installed("tensorflow") or versions.installed("tensorflow-cpu"):
        yield from devices.check_tensorflow()
    yield from devices.check_collective(found)
    yield from pages.check_huge_pages(found)
    half = devices.dtype_policy(found).removeprefix("mixed_")
    yield from rates.check_products(tuple(dict.fromkeys(["float32", half])))
    if options.preset:
        yield from rates.check_memory(options.preset, options.batch_size, found)
    if options.source:
        yield from rates.check_source(options.source, options.preset)
    yield from disk.check_disk(options.output)
