"""Commands on presets: `python -m keras_ab.presets list|save|check|ship`."""

import sys

from keras_ab.presets.command import main

if __name__ == "__main__":
    sys.exit(main())
