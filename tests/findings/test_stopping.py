"""A command that is ended ends its runs."""

import json
import signal
import sys
import threading
import time

import pytest

from findings import pool
from findings import work

SLEEP = [sys.executable, "-c", "import time; time.sleep(20)"]


def test_what_runs_is_ended(tmp_path):
    failed = []

    def run():
        try:
            work.call(SLEEP, tmp_path / "log", None, "torch")
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
    # Nor does another one begin.
    with pytest.raises(work.Failed, match="not begun"):
        work.call(SLEEP, tmp_path / "log", None, "torch")


@pytest.fixture
def interruptible():
    """What a shell starts in the background ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_pool_begins_nothing(
    case, tmp_path, interruptible, monkeypatch
):
    _, store, _ = case
    # Two at a time, however many cores there are.
    monkeypatch.setattr(pool, "cores", lambda: [None, None])
    begun = []

    def do(runs, store, core, backend):
        begun.append(runs[0])
        work.call(SLEEP, tmp_path / f"{len(begun)}.log", None, "torch")

    def interrupt():
        while len(work.RUNNING) < 2:
            time.sleep(0.02)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        pool.do_all(store, jobs=2, backend="torch", do=do)
    started = time.monotonic()
    while work.RUNNING and time.monotonic() - started < 20:
        time.sleep(0.02)
    assert not work.RUNNING
    time.sleep(0.5)
    # Four more were waiting.
    assert len(begun) == 2
    assert len(store.missing()) == 6


def test_what_was_cut_off_counts_too(tmp_path):
    log = tmp_path / "train.log"
    work_for = "import time; t = time.process_time()\nwhile "
    work_for += "time.process_time() - t < 0.3: pass"
    with pytest.raises(work.Failed):
        work.call(
            [sys.executable, "-c", work_for + "\nraise SystemExit(3)"],
            log,
            None,
            "torch",
        )
    first = json.loads((tmp_path / "train.spent.json").read_text())
    both = work.call([sys.executable, "-c", work_for], log, None, "torch")
    assert first[1] >= 0.3
    assert both[1] >= first[1] + 0.3 and both[0] > first[0]
