"""Whether this machine is ready to train: `python -m keras_ab.doctor`."""

import sys

from keras_ab.doctor.command import main

if __name__ == "__main__":
    sys.exit(main())
