"""A command that is ended ends its runs."""

import sys
import threading
import time

from findings import work


def test_what_runs_is_ended(tmp_path):
    failed = []

    def run():
        try:
            command = [sys.executable, "-c", "import time; time.sleep(60)"]
            work.call(command, tmp_path / "log", None, "torch")
        except work.Failed as error:
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    started = time.monotonic()
    while not work.RUNNING and time.monotonic() - started < 20:
        time.sleep(0.05)
    work.stop_all()
    thread.join(20)
    assert not thread.is_alive()
    assert len(failed) == 1
    assert "status -15" in failed[0]
    assert not work.RUNNING
