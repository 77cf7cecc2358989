"""The settings of one process: read once, from the environment and the data directory, in a composition root."""

import json
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, IPvAnyNetwork, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

LOOPBACK = "127.0.0.1"
_THIS_MACHINE = {LOOPBACK, "localhost", "::1"}
SECRETS_FILE = "secrets.json"
CONNECTION_FILE = "connection.env"

# Offsets from the first port, so that a second stack needs one other number and no more.
CLICKHOUSE_HTTP, CLICKHOUSE_TCP, POSTGRES, S3 = 1, 2, 3, 4
SEAWEED_S3_GRPC, SEAWEED_MASTER, SEAWEED_MASTER_GRPC = 5, 6, 7
SEAWEED_VOLUME, SEAWEED_VOLUME_GRPC, SEAWEED_FILER, SEAWEED_FILER_GRPC = 8, 9, 10, 11
RAY_GCS, HAPROXY_METRICS, HAPROXY_STATS, SERVE_FALLBACK_PROXY, RAY_AGENT = 12, 13, 14, 15, 16
OTLP_GRPC = 17
# Where OTLP over gRPC is looked for.
_USUAL_PORT, _USUAL_GRPC_PORT = 3000, 4317
SERVE_REPLICAS_FIRST, SERVE_REPLICAS_LAST = 40, 99


class _Slice(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClickHouseSettings(_Slice):
    """Where ClickHouse is. Without a url the embedded server is used."""

    url: str = ""
    user: str = "heliograph"
    password: str = ""
    database: str = "heliograph"
    memory_limit_bytes: int = 4 << 30


class PostgresSettings(_Slice):
    """Where PostgreSQL is. Without a url the embedded server is used."""

    url: str = ""
    user: str = "heliograph"
    password: str = ""
    database: str = "heliograph"


class S3Settings(_Slice):
    """Where the object store is. Without a url the embedded server is used.

    Attributes:
        public_url: where clients reach it for media; by default the same for a store of yours, and Heliograph's own
            origin for the embedded one.
    """

    url: str = ""
    public_url: str = ""
    access_key: str = ""
    secret_key: str = ""
    region: str = "us-east-1"
    bucket: str = "heliograph"


class RaySettings(_Slice):
    """Which Ray cluster to use. Without an address a local one is started.

    Attributes:
        node_address: of this machine, for the other nodes; anything but loopback opens Ray's ports to them.
        token: what lets a process into the cluster, the same on every node; without one it is generated.
    """

    address: str = ""
    node_address: str = LOOPBACK
    token: str = ""
    object_store_bytes: int = 512 << 20


class LaneSettings(_Slice):
    """Bounds and rhythms of a lane."""

    count: int = 2
    max_project_bytes: int = 64 << 20
    max_unacknowledged_bytes: int = 128 << 20
    max_backlog_bytes: int = 72 << 20
    max_segment_bytes: int = 16 << 20
    full_segment_records: int = 480
    segment_spacing_seconds: float = 0.15
    busy_segment_records: int = 50
    flush_after_seconds: float = 0.3
    busy_flush_after_seconds: float = 0.8
    busy_rows: int = 1_000
    max_flush_rows: int = 16_000
    max_cached_contributions: int = 60_000
    cached_subjects_bits: int = 1 << 26
    # A larger input, output or metadata value goes to object storage, and its row holds a preview.
    max_row_value_bytes: int = Field(default=256 << 10, ge=16 << 10)


class IngestSettings(_Slice):
    """Bounds of the ingestion doors."""

    replicas: int = 1
    max_body_bytes: int = 64 << 20
    max_in_flight_bytes: int = 128 << 20
    decoding_threads: int = 2
    slice_above_bytes: int = 256 << 10
    gather_seconds: float = 0.004
    join_seconds: float = 0.015
    max_append_bytes: int = 4 << 20


class MaintenanceSettings(_Slice):
    """Rhythm and bounds of what keeps the stores tidy beside the ingestion."""

    compact_every_seconds: float = 3_600
    retain_every_seconds: float = 3_600
    free_after_days: float = 7
    # One step of a compaction: so much of a lane's log, and so much memory; the rest waits on the local disk.
    max_range_bytes: int = 256 << 20
    max_range_segments: int = 20_000
    max_held_bytes: int = 32 << 20
    max_file_bytes: int = 256 << 20
    # A reader that listed the small files before a merge has this long to read them.
    superseded_for_seconds: float = 3_600


class EvaluationSettings(_Slice):
    """What evaluations keep.

    Attributes:
        answers_kept_days: how long a judge that is asked the same again is not, nor paid; 0 asks it each time.
        batch_poll_seconds: how often a provider is asked how far a batch of its is.
    """

    answers_kept_days: float = Field(default=30, ge=0)
    batch_poll_seconds: float = Field(default=60, gt=0)


class MaskingSettings(_Slice):
    """How long masking callbacks are waited for."""

    callback_timeout_seconds: float = Field(default=0.5, gt=0, le=30)
    callback_attempts: int = Field(default=2, ge=1, le=5)


class OutboundSettings(_Slice):
    """Where calls to addresses that users name may go.

    Attributes:
        allowed_networks: private networks that may be reached, as in `["10.0.0.0/8"]`.
    """

    allowed_networks: tuple[IPvAnyNetwork, ...] = ()


class MediaSettings(_Slice):
    """Bounds of media.

    Attributes:
        max_bytes: of one file.
        url_seconds: for how long a presigned URL is good.
    """

    max_bytes: int = Field(default=1_000_000_000, gt=0)
    url_seconds: int = Field(default=3_600, gt=0, le=604_800)


class SingleSignOnSettings(_Slice):
    """The OpenID Connect provider by which people sign in. Without an issuer there is none.

    Attributes:
        issuer: as the provider writes it, `https://accounts.google.com`; its configuration is found below it.
        allowed_domains: of e-mail addresses; any, when there are none.
        label: what the button on the sign-in page says behind "Sign in with".
        organization: the id or the name of the one that people join whom nobody has invited; empty keeps them out.
        role: what they are there.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret: str = Field(default="", repr=False)
    scopes: str = "openid email profile"
    allowed_domains: tuple[str, ...] = ()
    label: str = "single sign-on"
    organization: str = ""
    role: Literal["OWNER", "ADMIN", "MEMBER", "VIEWER", "NONE"] = "MEMBER"

    @field_validator("issuer")
    @classmethod
    def _is_private(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if issuer and parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _THIS_MACHINE):
            reason = "must begin with https://"
            raise ValueError(reason)
        return issuer


class TelemetrySettings(_Slice):
    """Heliograph's own traces. Without an endpoint there are none.

    Attributes:
        endpoint: the whole address of an OTLP door over HTTP, `https://collector:4318/v1/traces`.
        headers: sent with every export, the credentials above all.
        sample_ratio: how many of a thousand requests are traced, divided by a thousand.
    """

    endpoint: str = ""
    headers: dict[str, str] = Field(default={}, repr=False)
    sample_ratio: float = Field(default=0.01, ge=0, le=1)


class FirstProject(_Slice):
    """What the first start creates; empty values are generated."""

    organization_id: str = ""
    organization_name: str = "My organization"
    project_id: str = ""
    project_name: str = "My project"
    public_key: str = ""
    secret_key: str = ""
    user_email: str = "admin@heliograph.local"
    user_name: str = "Admin"
    user_password: str = ""


class Settings(BaseSettings):
    """Every setting, as HELIOGRAPH_… variables; a nested one with two underscores: HELIOGRAPH_CLICKHOUSE__URL.

    Secrets that the environment does not give come from the data directory, where the first start generates them.
    """

    model_config = SettingsConfigDict(
        env_prefix="HELIOGRAPH_", env_nested_delimiter="__", frozen=True, extra="ignore", env_ignore_empty=True
    )

    data_dir: Path = Path(".heliograph")
    host: str = LOOPBACK
    public_url: str = ""
    # Above 32,668 outgoing connections of any program may hold one of the hundred ports at the moment of the start.
    port: int = Field(default=_USUAL_PORT, ge=1024, le=32_668)
    otlp_grpc_port: int = 0
    log_level: str = "INFO"
    pepper: str = ""
    session_secret: str = ""
    # What stored secrets are sealed with, and what those of earlier days were.
    encryption_key: str = Field(default="", repr=False)
    former_encryption_keys: tuple[str, ...] = Field(default=(), repr=False)
    # Opens the routes that create organizations; without one they are closed.
    admin_api_key: str = Field(default="", repr=False)
    # What `/metrics` asks for where the origin is open to others than this machine.
    metrics_token: str = Field(default="", repr=False)
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    postgres: PostgresSettings = PostgresSettings()
    s3: S3Settings = S3Settings()
    ray: RaySettings = RaySettings()
    lanes: LaneSettings = LaneSettings()
    ingest: IngestSettings = IngestSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    media: MediaSettings = MediaSettings()
    # How many replicas of its door share a project's limits with this process; told by the deployment.
    door_replicas: int = Field(default=1, ge=1)
    telemetry: TelemetrySettings = TelemetrySettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    masking: MaskingSettings = MaskingSettings()
    outbound: OutboundSettings = OutboundSettings()
    single_sign_on: SingleSignOnSettings = SingleSignOnSettings()
    init: FirstProject = FirstProject()

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917 - pydantic-settings prescribes the signature
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments beat the environment, which beats the secrets file of the data directory."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, _SecretsFile(settings_cls))

    @cached_property
    def data(self) -> Path:
        """The data directory, absolute."""
        return self.data_dir.expanduser().resolve()

    @property
    def url(self) -> str:
        """The origin of the API and the dashboard, as their users write it."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def grpc_address(self) -> str:
        """Where OTLP over gRPC is served: port 4317 beside the usual origin, else one of the stack's hundred ports."""
        usual = _USUAL_GRPC_PORT if self.port == _USUAL_PORT else self.port + OTLP_GRPC
        return f"{self.host}:{self.otlp_grpc_port or usual}"

    @property
    def is_on_loopback(self) -> bool:
        """Whether nobody but this machine reaches the origin."""
        return self.host in _THIS_MACHINE

    @property
    def secret_values(self) -> frozenset[str]:
        """Everything that must not be written anywhere."""
        given = {
            *(self.pepper, self.session_secret, self.metrics_token, self.ray.token),
            *(self.encryption_key, *self.former_encryption_keys, self.admin_api_key),
            *(self.clickhouse.password, self.postgres.password, self.s3.secret_key),
            self.single_sign_on.client_secret,
            *(self.init.secret_key, self.init.user_password, *self.telemetry.headers.values()),
            *(urlsplit(url).password or "" for url in (self.clickhouse.url, self.postgres.url, self.s3.url)),
        }
        return frozenset(given - {""})

    @property
    def clickhouse_url(self) -> str:
        """HTTP address of ClickHouse, external or embedded."""
        return self.clickhouse.url or f"http://{LOOPBACK}:{self.port + CLICKHOUSE_HTTP}"

    @property
    def s3_url(self) -> str:
        """Address of the object store, external or embedded."""
        return self.s3.url or f"http://{LOOPBACK}:{self.port + S3}"

    @property
    def s3_public_url(self) -> str:
        """Where clients reach the object store, for media alone."""
        return self.s3.public_url.rstrip("/") or self.s3.url or self.url

    @property
    def ray_address(self) -> str:
        """Address of the Ray cluster, external or local."""
        return self.ray.address or f"{self.ray.node_address}:{self.port + RAY_GCS}"

    @property
    def postgres_dsn(self) -> str:
        """A SQLAlchemy URL for psycopg 3, external or embedded."""
        if self.postgres.url:
            return self.postgres.url.replace("postgresql://", "postgresql+psycopg://", 1)
        login = f"{self.postgres.user}:{self.postgres.password}"
        return f"postgresql+psycopg://{login}@{LOOPBACK}:{self.port + POSTGRES}/{self.postgres.database}"


def _named(name: str, *names: str) -> AliasChoices:
    return AliasChoices(*(f"LANGFUSE_{one}" for one in names), f"HELIOGRAPH_{name}")


class ClientSettings(BaseSettings):
    """The address and the keys of a project, by the names that Langfuse's SDKs read, or as HELIOGRAPH_… variables."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    url: str = Field(default="http://localhost:3000", validation_alias=_named("URL", "BASE_URL", "HOST"))
    public_key: str = Field(default="", validation_alias=_named("PUBLIC_KEY", "PUBLIC_KEY"))
    secret_key: str = Field(default="", validation_alias=_named("SECRET_KEY", "SECRET_KEY"), repr=False)


def client_settings() -> ClientSettings:
    """Those of the environment, or of the stack in the data directory."""
    return ClientSettings(_env_file=Settings().data / CONNECTION_FILE)


class _SecretsFile(PydanticBaseSettingsSource):
    """Reads `secrets.json` of the data directory that the sources before it have chosen."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - its base's
        """Not used: the file is read whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The secrets, or nothing before the first start."""
        chosen = self.current_state.get("data_dir") or Settings.model_fields["data_dir"].default
        path = Path(chosen).expanduser() / SECRETS_FILE
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def generated_secrets() -> dict[str, Any]:
    """A fresh secret for everything that needs one, in the shape of the settings."""
    return {
        "pepper": secrets.token_hex(32),
        "session_secret": secrets.token_hex(32),
        "encryption_key": secrets.token_hex(32),
        "clickhouse": {"password": secrets.token_urlsafe(24)},
        "postgres": {"password": secrets.token_urlsafe(24)},
        "s3": {"access_key": secrets.token_hex(10), "secret_key": secrets.token_urlsafe(30)},
        "init": {"user_password": secrets.token_urlsafe(12)},
    }


def given_secrets(settings: Settings) -> dict[str, Any]:
    """What the environment gave of them, and of the first project, in the same shape."""
    shape = {name: set(value) if isinstance(value, dict) else True for name, value in generated_secrets().items()}
    return settings.model_dump(include={**shape, "init": True}, exclude_unset=True)


def keep_price_list_local() -> None:
    """Have litellm read the prices that it brings: unless this says so, it fetches others while it is imported."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
