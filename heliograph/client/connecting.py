"""From an address and keys to a project."""

from heliograph.client.connection import AsyncConnection, Connection, Server
from heliograph.client.project import AsyncProject, Project
from heliograph.domain.errors import InvalidRequest
from heliograph.settings import client_settings


def connect(url: str = "", public_key: str = "", secret_key: str = "") -> Project:
    """The project of a key pair. Nothing is sent before something is asked for.

    Args:
        url: of the server; without it `HELIOGRAPH_URL` or `LANGFUSE_BASE_URL`, or the stack of the data directory.
        public_key: without it `HELIOGRAPH_PUBLIC_KEY` or `LANGFUSE_PUBLIC_KEY`, or the stack's.
        secret_key: without it `HELIOGRAPH_SECRET_KEY` or `LANGFUSE_SECRET_KEY`, or the stack's.

    Raises:
        InvalidRequest: no keys are known; it says which variables to set.

    Example:
        >>> project = heliograph.connect()
        >>> project.traces(since="1d").count()
    """
    return Project(Connection(server(url, public_key, secret_key)))


def connect_async(url: str = "", public_key: str = "", secret_key: str = "") -> AsyncProject:
    """The same for an event loop; see `connect`."""
    return AsyncProject(AsyncConnection(server(url, public_key, secret_key)))


def server(url: str = "", public_key: str = "", secret_key: str = "") -> Server:
    """The address and the keys that are given, and of those that are not what the environment says."""
    known = client_settings()
    found = Server(url or known.url, public_key or known.public_key, secret_key or known.secret_key)
    if not found.public_key or not found.secret_key:
        raise InvalidRequest("keys", "set HELIOGRAPH_URL, HELIOGRAPH_PUBLIC_KEY and HELIOGRAPH_SECRET_KEY")
    return found
