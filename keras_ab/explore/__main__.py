"""A page on a model: `python -m keras_ab.explore MODEL IMAGES`."""

import argparse
import sys
from collections.abc import Sequence

from keras_ab.data.specs import open_source
from keras_ab.explore.app import make_app
from keras_ab.explore.explorer import Explorer
from keras_ab.explore.gallery import Gallery
from keras_ab.probes import command_line
from keras_ab.probes.open_encoder import open_encoder


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page until it is interrupted.

    Args:
        arguments: Those of the command; None for those of the process.

    Returns:
        Int, the exit status: 0, or 1 where something was not accepted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m keras_ab.explore", description=__doc__
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="an AB model: a .keras file, or a folder of checkpoints",
    )
    parser.add_argument(
        "images",
        metavar="IMAGES",
        help="a folder of pictures, 'scenes', or another source, as "
        "`python -m keras_ab.data inspect` takes them",
    )
    parser.add_argument(
        "--compare", metavar="MODEL", help="another, to be shown beside it"
    )
    parser.add_argument("--annotation", default="", help="the first one")
    parser.add_argument("--network", choices=("online", "target"))
    parser.add_argument(
        "--count", type=command_line.positive, default=24, help="pictures"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8050)
    options = parser.parse_args(arguments)
    paths = [path for path in (options.model, options.compare) if path]
    try:
        models = {path: open_encoder(path).encoder for path in paths}
        source = open_source(options.images).source
        explorer = Explorer(
            models,
            Gallery(source, options.count),
            options.network,
        )
        app = make_app(explorer, options.annotation)
    except (OSError, ValueError, ImportError) as error:
        parser.exit(1, f"error: {error}\n")
    print(f"http://{options.host}:{options.port}/", flush=True)
    app.run(host=options.host, port=options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
