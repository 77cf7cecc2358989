"""The embedded object store: SeaweedFS, of which only S3 is used."""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from heliograph import settings as ports
from heliograph.domain.errors import Unavailable
from heliograph.settings import LOOPBACK, S3, S3Settings
from storage.embedded.engine import folder
from storage.objects import connection

_PING_SECONDS = 3
_VOLUME_MEGABYTES = 512
_MAX_VOLUMES = 2_000


class SeaweedFS:
    """One `weed` process: master, volumes, filer and the S3 gateway."""

    name = "seaweed"
    # Left alone it waits a quarter of a minute for connections of its own.
    stop_seconds = 2.0
    stop_signal = signal.SIGTERM

    def __init__(self, settings: S3Settings, data: Path, first_port: int) -> None:
        self._settings = settings
        self._folder = folder(data, self.name)
        self._port = first_port
        self._url = f"http://{LOOPBACK}:{first_port + S3}"

    def command(self) -> list[str]:
        """See Engine.command."""
        identities = self._folder / "identities.json"
        identities.touch(mode=0o600)
        identities.write_text(json.dumps(self._identities()), "utf-8")
        (self._folder / "data").mkdir(exist_ok=True)
        flags = {
            "dir": self._folder / "data",
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            "filer": "true",
            "filer.localSocket": self._socket("filer"),
            "s3": "true",
            "s3.config": identities,
            "s3.localSocket": self._socket("s3"),
            # Catalogues of tables that nobody asked for, on ports of their own.
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "master.telemetry": "false",
            # One master has nobody to wait for.
            "master.electionTimeout": "1s",
            "master.volumeSizeLimitMB": _VOLUME_MEGABYTES,
            "volume.max": _MAX_VOLUMES,
            "volume.preStopSeconds": 0,
            **{f"{flag}": self._port + offset for flag, offset in _PORTS.items()},
        }
        weed = str(Path(sys.executable).with_name("weed"))
        return [weed, "-v=0", "-logtostderr=true", "server", *(f"-{name}={value}" for name, value in flags.items())]

    def is_ready(self) -> bool:
        """Whether a PUT and a GET succeed, which they do seconds after the bucket's creation does."""
        client = connection.connect(self._settings, self._url, timeout_seconds=_PING_SECONDS)
        # Not there yet, or there already: the ping tells.
        with suppress(BotoCoreError, ClientError):
            client.create_bucket(Bucket=self._settings.bucket)
        try:
            connection.ping(client, self._settings.bucket)
        except Unavailable:
            return False
        return True

    def prepare(self) -> None:
        """Nothing: readiness has created the bucket."""

    def _identities(self) -> dict[str, object]:
        login = {"accessKey": self._settings.access_key, "secretKey": self._settings.secret_key}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        return {"identities": [{"name": "heliograph", "credentials": [login], "actions": actions}]}

    def _socket(self, name: str) -> Path:
        # A unix socket's path has 107 bytes at most; the fallback is told apart by the port.
        path = self._folder / f"{name}.sock"
        return path if len(str(path)) < 100 else Path(f"/tmp/heliograph-{self._port}-{name}.sock")  # noqa: S108


_PORTS = {
    "s3.port": ports.S3,
    "s3.port.grpc": ports.SEAWEED_S3_GRPC,
    "master.port": ports.SEAWEED_MASTER,
    "master.port.grpc": ports.SEAWEED_MASTER_GRPC,
    "volume.port": ports.SEAWEED_VOLUME,
    "volume.port.grpc": ports.SEAWEED_VOLUME_GRPC,
    "filer.port": ports.SEAWEED_FILER,
    "filer.port.grpc": ports.SEAWEED_FILER_GRPC,
}
