"""The program that is the embedded ClickHouse: `python -m storage.embedded.clickhouse_server FOLDER`.

The server inside chdb's wheel is a command interpreter that can be told to listen. It runs a script whose last query
reads a named pipe that nobody writes: closing the pipe ends the query, and with it the server, which flushes first.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType

IDLE_PIPE = "idle"
_STOP_SECONDS = 30
_SCRIPT = """
    SYSTEM START LISTEN HTTP;
    SELECT * FROM file('{pipe}', 'LineAsString') SETTINGS max_execution_time = 0 FORMAT Null
"""


def _engine() -> ModuleType:
    """The engine of chdb; its import opens a session in the working directory, so that must hold no configuration."""
    os.chdir("/")
    from chdb import _chdb  # noqa: PLC0415  # only in this process, and only after the change of directory

    return _chdb


def serve(folder: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    engine = _engine()
    os.chdir(folder)
    pipe = folder / IDLE_PIPE
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, 0o600)

    def run() -> None:
        try:
            engine.query(_SCRIPT.format(pipe=pipe), "TabSeparated", path=str(folder / "data"))
        finally:
            # It ended by itself, or could not start: the process is to end, and its supervisor to know.
            os.kill(os.getpid(), signal.SIGINT)

    server = threading.Thread(target=run, daemon=True)
    server.start()
    # Non-blocking for the case that the server fails before it reads; kept open, the query waits.
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    stopped_by = signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os.close(held)
    server.join(_STOP_SECONDS)
    os._exit(0 if stopped_by == signal.SIGTERM else 1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve())
