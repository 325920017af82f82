"""Noticing SIGTERM without being killed by it."""

import os
import signal
import threading
import warnings


class Sigterm:
    """Notes a SIGTERM while it watches.

    A second one, while the first is still being attended to, does what it
    would have done without the watch.

    Attributes:
        seen: Bool, whether one came since `watch`.
    """

    def __init__(self):
        self.seen = False
        self._before = None

    def watch(self) -> None:
        """Starts watching; only a process' main thread can."""
        self.seen = False
        if threading.current_thread() is not threading.main_thread():
            warnings.warn(
                "SIGTERM is not watched: fit runs outside the main thread.",
                stacklevel=2,
            )
            return
        if self._before is None:
            # None stands for a handler that was not installed by Python.
            before = signal.getsignal(signal.SIGTERM)
            self._before = signal.SIG_DFL if before is None else before
            signal.signal(signal.SIGTERM, self._note)

    def unwatch(self) -> None:
        """Gives the signal back to whoever had it."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _note(self, number, frame):
        if self.seen:
            self.unwatch()
            os.kill(os.getpid(), number)
        self.seen = True
