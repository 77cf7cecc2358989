"""The generated client of whichever version is installed, asked by the names that its newest version has."""

import importlib
import inspect
import typing
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

from watched import methods, watch

VERSION = metadata.version("langfuse")
MAJOR = int(VERSION.split(".")[0])
# What is called otherwise in older versions.
_OLDER = {"scores.create": "score.create", "scores.delete": "score.delete"}
_OLDER_ARGUMENTS = {"sha256hash": "sha_256_hash"}


class Generated:
    """A generated client with the key pair of a project or an organization."""

    def __init__(self, url: str, keys: tuple[str, str]) -> None:
        module = importlib.import_module("langfuse.api.client")
        made = module.LangfuseAPI if MAJOR >= 4 else module.FernLangfuse
        self.client = made(
            base_url=url, username=keys[0], password=keys[1], timeout=30,
            x_langfuse_sdk_name="python", x_langfuse_sdk_version=VERSION, x_langfuse_public_key=keys[0],
        )  # fmt: skip

    def has(self, name: str) -> bool:
        """Whether this version has the method."""
        return self._found(name) is not None

    def __call__(self, name: str, /, **arguments: Any) -> Any:
        """Call a method, as `datasets.create`; older versions take what is sent as one `request`."""
        method = self._found(name)
        assert method is not None, f"{name} is not in {VERSION}"
        taken = inspect.signature(method, eval_str=True).parameters
        if "request" not in taken:
            return method(**arguments)
        arguments = {_OLDER_ARGUMENTS.get(key, key): value for key, value in arguments.items()}
        beside = {key: arguments.pop(key) for key in list(arguments) if key in taken}
        return method(request=parsed(taken["request"].annotation, arguments), **beside)

    def walk(self) -> Iterator[str]:
        """The name of every method."""
        for path, resource in self._resources(self.client, ""):
            yield from (path + name for name in methods(type(resource)))

    def watch(self) -> None:
        """Note every method that returns."""
        for path, resource in self._resources(self.client, ""):
            watch(type(resource), path)

    def _resources(self, of: object, path: str) -> Iterator[tuple[str, object]]:
        for name in sorted(set(dir(of))):
            resource = None if name.startswith("_") or name == "with_raw_response" else getattr(of, name)
            if type(resource).__name__.endswith("Client"):
                yield f"{path}{name}.", resource
                yield from self._resources(resource, f"{path}{name}.")

    def _found(self, name: str) -> Any:
        for path in (name, _OLDER.get(name, name)):
            found: Any = self.client
            for part in path.split("."):
                found = getattr(found, part, None)
            if found is not None:
                return found
        return None


def parsed(annotation: Any, body: dict[str, Any]) -> Any:
    """A body as the class that a method takes."""
    utilities = importlib.import_module("langfuse.api.core.pydantic_utilities")
    if typing.get_origin(annotation) in {list, Sequence}:
        return utilities.parse_obj_as(annotation, [body])
    if MAJOR >= 4:
        return utilities.parse_obj_as(annotation, body)
    return utilities.pydantic_v1.parse_obj_as(annotation, body)
