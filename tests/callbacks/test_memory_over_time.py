"""A run with validation, checkpoints and a monitor does not grow."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_resident_memory_is_flat(tmp_path):
    # 25 readings, of which the first five are warm-up.
    path = tmp_path / "memory.json"
    command = [sys.executable, "-m", "benchmarks.memory_over_time"]
    command += ["--steps", "500", "--every", "20", "--warm-up", "100"]
    subprocess.run(
        [*command, "--json", str(path)],
        cwd=ROOT,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    results = json.loads(path.read_text())
    assert len(results["rss_mib"]) == 25
    assert results["rss_last_over_first"] < 1.02
