"""How an event arrived: the headers by which SDKs introduce themselves."""

from starlette.datastructures import Headers

from heliograph.domain.access import Principal
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.events import IngestionFacts

MAX_INGESTION_VERSION = 4


def ingestion_facts(headers: Headers, principal: Principal) -> IngestionFacts:
    """The facts of a request.

    Raises:
        InvalidRequest: it asks for an ingestion version that does not exist.
    """
    version = _header(headers, "x-langfuse-ingestion-version")
    if version and not (version.isdecimal() and len(version) < 10 and int(version) <= MAX_INGESTION_VERSION):
        reason = f"{version[:40]!r} is not one of the versions 1 to {MAX_INGESTION_VERSION}"
        raise InvalidRequest("x-langfuse-ingestion-version", reason)
    return IngestionFacts(
        public_key=principal.public_key,
        sdk_name=_header(headers, "x-langfuse-sdk-name"),
        sdk_version=_header(headers, "x-langfuse-sdk-version"),
        ingestion_version=version,
    )


def _header(headers: Headers, name: str) -> str:
    # Some clients write underscores, and some proxies turn hyphens into them.
    return (headers.get(name) or headers.get(name.replace("-", "_"), "")).strip()
