"""Processes that each work when they are asked, so that turns interleave."""

import os
import subprocess


class Worker:
    """A process of its own on some cores, which works when it is asked.

    The process prints a line that begins with `ready` when it is, and then,
    for each line that it reads, one with the seconds of its work.

    Args:
        command: List of strings.
        cores: Set of ints, the cores that it may use.
        environment: Dict of environment variables to add.

    Attributes:
        ready: String, what stood after `ready`.

    Raises:
        RuntimeError: If the process ends before it is ready.
    """

    def __init__(self, command, cores, environment=()):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "TF_CPP_MIN_LOG_LEVEL": "3",
                **dict(environment),
            },
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        word, _, self.ready = self.process.stdout.readline().partition(" ")
        if word.strip() != "ready":
            raise RuntimeError(self.process.stderr.read().strip()[-500:])

    def seconds(self, work=""):
        """Seconds of one piece of work.

        Args:
            work: String, which one, if there are several.

        Returns:
            Float.
        """
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def stop(self):
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()
