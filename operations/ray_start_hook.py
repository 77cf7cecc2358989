"""What `ray start` calls before it starts anything: a module of its own, since that process imports it."""

from typing import Any


def without_client_server(parameters: Any, is_head: bool) -> None:  # noqa: FBT001  # Ray calls it so
    """Keep the `ray://` server from starting: nothing here uses it, and it would listen at a fixed port."""
    del is_head
    parameters.ray_client_server_port = None
