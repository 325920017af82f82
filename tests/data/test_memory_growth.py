"""Long streams do not grow."""

import subprocess
import sys

import pytest

CODE = """
import sys
from keras_ab import data
from tests.data.test_quarantine import numbered

def rss():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096 / 2**20

steps = int(sys.argv[1])
# One in 12 is bad: replacing must not grow either.
source = numbered(12, bad={5})
stream = data.value_batches(
    source, 96, batch_size=4, num_views=4,
    quarantine=data.Quarantine(budget=1.0),
)
sizes = []
for step, _ in enumerate(stream.take(steps)):
    if step % (steps // 20) == 0:
        sizes.append(rss())
print(sizes)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat():
    run = subprocess.run(
        [sys.executable, "-c", CODE, "20000"],
        check=True,
        capture_output=True,
        text=True,
    )
    sizes = eval(run.stdout.splitlines()[-1])
    # The first quarter may still fill pools; later ones must not.
    settled, last = max(sizes[5:8]), max(sizes[-3:])
    assert last - settled < 20, sizes
