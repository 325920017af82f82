"""Commands on data: `python -m keras_ab.data inspect PATH_OR_SPEC`."""

import sys

from keras_ab.data.inspect_command import main

if __name__ == "__main__":
    sys.exit(main())
