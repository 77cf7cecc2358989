"""The head of the local Ray cluster as one process with all of its children."""

import asyncio
import shutil
from pathlib import Path

from heliograph.domain.start_errors import EngineFailed
from heliograph.settings import Settings
from operations import processes
from operations.ray_cluster import head_command, ray_environment, sessions_folder

_READY_SECONDS = 60
_SESSIONS_KEPT = 2


class RayHead:
    """Starts and ends the cluster. Nothing in it is worth keeping: what lasts is in the stores."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._settings = settings
        self._log = log
        self._record = settings.data / "run" / "ray.pid"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process whose descendants are the cluster; 0 when there is none."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Return when the whole node runs.

        Raises:
            EngineFailed: the process ended, or did not answer in time.
        """
        self.clean_up()
        folder = sessions_folder(self._settings)
        _drop_old_sessions(folder)
        # Written when every process of the head has registered; its port answers long before.
        announcement = folder / "ray_current_cluster"
        announcement.unlink(missing_ok=True)
        command = processes.with_environment(head_command(self._settings), ray_environment(self._settings))
        self._process = await processes.spawn(command, self._log)
        processes.record_session(self._record, self._process.pid)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not announcement.exists():
                    if self._process.returncode is not None:
                        reason = f"it ended with code {self._process.returncode}, see {self._log}"
                        raise EngineFailed("ray", reason)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            reason = f"it did not answer within {_READY_SECONDS} s, see {self._log}"
            raise EngineFailed("ray", reason) from None

    async def ended(self) -> None:
        """Return when the cluster has died."""
        if self._process is not None:
            await self._process.wait()

    def stop(self) -> None:
        """End every process of the cluster."""
        if self._process is not None:
            processes.end_tree(self._process.pid)
        self.clean_up()

    def clean_up(self) -> None:
        """End what a crash left behind: HAProxy, for one, outlives the actor that started it."""
        processes.kill(processes.left_behind(self._record))


def _drop_old_sessions(folder: Path) -> None:
    sessions = sorted(path for path in folder.glob("session_*") if not path.is_symlink())
    for old in sessions[:-_SESSIONS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
