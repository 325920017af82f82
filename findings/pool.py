"""Runs side by side, a core each, with a display of what is left."""

import os
import queue
import threading

from findings import work


def cores():
    """The cores that this process may use.

    Returns:
        List of ints; on systems that do not tell, of as many None as there
        are cores.
    """
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return [None] * (os.cpu_count() or 1)


def do_all(store, wanted=None, jobs=None, backend="tensorflow", do=work.do):
    """Does all trainings of a store that are missing, and measures them.

    One that fails does not keep others from being done.

    Args:
        store: A `findings.store.Store`.
        wanted: Runs that are asked for; None for all.
        jobs: Int, trainings at a time; None for one a core.
        backend: String, Keras' backend.
        do: Callable that does the runs of one, as `findings.work.do`.

    Returns:
        Dict from the titles of those that failed to the error.
    """
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeElapsedColumn
    from rich.progress import TimeRemainingColumn

    todo = store.missing(wanted)
    work.STOPPED.clear()
    waiting = queue.SimpleQueue()
    for runs in todo:
        waiting.put(runs)
    places = cores()[: jobs or None]
    failed = {}
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    console = Console(stderr=True, width=100)
    with Progress(*columns, console=console) as progress:
        every = progress.add_task("runs", total=len(todo))

        def serve(core):
            while not work.STOPPED.is_set():
                try:
                    runs = waiting.get_nowait()
                except queue.Empty:
                    return
                title = runs[0].title
                line = progress.add_task(title, total=1)
                try:
                    do(runs, store, core, backend)
                except Exception as error:
                    if work.STOPPED.is_set():
                        return
                    failed[title] = error
                    console.print(f"failed: {title}: {error}", markup=False)
                progress.remove_task(line)
                progress.advance(every)

        threads = [
            threading.Thread(target=serve, args=(core,), daemon=True)
            for core in places
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            # Empty where all came to their end.
            work.stop_all()
    return failed
