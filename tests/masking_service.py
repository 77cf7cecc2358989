"""A masking service as a project may have one: it is posted what is to be stored, and answers with what may be."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.local_server import Answer, Request, answering


@dataclass
class Service:
    """A masking service: how it answers, and the headers of what it was sent."""

    answer: Callable[[Any], tuple[int, Any]]
    url: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def masking(service: Service) -> Iterator[Service]:
    def answer(request: Request) -> Answer:
        service.seen.append(dict(request.headers))
        status, masked = service.answer(json.loads(request.body))
        return Answer(status, json.dumps(masked).encode())

    with answering(answer) as address:
        service.url = f"{address}/mask"
        yield service
