"""OpenAI's Batch API as the local provider plays it: slow, partly failing, expiring or refusing to order."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Reply = tuple[int, dict[str, str], Json]

_FILE = re.compile(rb'name="file"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL)


@dataclass
class Batches:
    """What is uploaded, asked and answered.

    Attributes:
        seconds: after which a batch is done.
        reply: to one request of a batch.
        expiring: how many requests of the next batch expire before they are answered; it expires with them.
        refusal: code and message by which the next batch is refused as a whole.
        is_down: whether nothing is answered but 503.
    """

    reply: Callable[[Json], Reply]
    seconds: float = 0.0
    expiring: int = 0
    refusal: tuple[str, str] | None = None
    is_down: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Json] = field(default_factory=dict)
    asked: list[Json] = field(default_factory=list)

    def hurry(self) -> None:
        """Have everything done at once, from now on."""
        self.seconds = 0.0
        for batch in self.batches.values():
            batch["due"] = 0.0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of one call."""
        if self.is_down:
            return 503, json.dumps({"error": {"message": "down"}}).encode()
        kind, _, rest = path.partition("/v1/")[2].partition("?")[0].partition("/")
        if kind == "files" and method == "GET":
            return 200, self.files[rest.removesuffix("/content")]
        status, told = (200, self._upload(body)) if kind == "files" else self._batched(method, rest, body)
        return status, json.dumps(told).encode()

    def _batched(self, method: str, rest: str, body: bytes) -> tuple[int, Json]:
        if method == "POST":
            return (
                self._cancel(self.batches[rest.removesuffix("/cancel")])
                if rest
                else (200, self._begin(json.loads(body)))
            )
        if rest:
            return 200, self._looked_at(self.batches[rest])
        newest = sorted(self.batches.values(), key=lambda one: -one["created_at"])
        return 200, {"object": "list", "data": newest, "has_more": False}

    def _upload(self, body: bytes) -> Json:
        found = _FILE.search(body)
        assert found is not None
        name = f"file-{len(self.files)}"
        self.files[name] = found[1]
        return {
            "id": name, "object": "file", "bytes": len(found[1]), "created_at": int(time.time()), "filename": "x.jsonl",
            "purpose": "batch", "status": "processed",
        }  # fmt: skip

    def _begin(self, asked: Json) -> Json:
        name = f"batch_{len(self.batches)}"
        batch = {
            "id": name, "object": "batch", "endpoint": asked["endpoint"], "input_file_id": asked["input_file_id"],
            "completion_window": "24h", "status": "in_progress", "created_at": int(time.time()),
            "metadata": asked.get("metadata"), "output_file_id": None, "error_file_id": None, "errors": None,
            "due": time.monotonic() + self.seconds,
        }  # fmt: skip
        self.batches[name] = batch
        if self.refusal is not None:
            code, message = self.refusal
            self.refusal = None
            batch |= {"status": "failed", "errors": {"object": "list", "data": [{"code": code, "message": message}]}}
        return batch

    def _cancel(self, batch: Json) -> tuple[int, Json]:
        if batch["status"] != "in_progress":
            return 409, {"error": {"message": f"Cannot cancel a batch with status '{batch['status']}'."}}
        batch["status"], batch["looks"] = "cancelling", 0
        return 200, batch

    def _looked_at(self, batch: Json) -> Json:
        if batch["status"] == "cancelling":
            # It takes a while: what asks at once is told so.
            batch["looks"] += 1
            if batch["looks"] > 2:
                self._end(batch, "cancelled")
        if batch["status"] == "in_progress" and time.monotonic() >= batch["due"]:
            self._end(batch, "expired" if self.expiring else "completed")
            self.expiring = 0
        return batch

    def _end(self, batch: Json, status: str) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines() if line]
        answered = lines[: len(lines) - self.expiring] if status != "cancelled" else []
        outputs, errors = f"{batch['id']}-output", f"{batch['id']}-errors"
        told = list(self._answers(answered))
        late = [
            {"custom_id": line["custom_id"], "response": None,
             "error": {"code": "batch_expired", "message": "This request could not be executed before it expired."}}
            for line in lines[len(answered) :]
        ]  # fmt: skip
        self.files[outputs] = _lines(one for one in told if one["response"]["status_code"] == 200)
        self.files[errors] = _lines([*(one for one in told if one["response"]["status_code"] != 200), *late])
        batch |= {"status": status, "output_file_id": outputs, "error_file_id": errors}

    def _answers(self, lines: list[Json]) -> Iterator[Json]:
        for line in lines:
            self.asked.append(line["body"])
            status, _, body = self.reply(line["body"])
            response = {"status_code": status, "request_id": "r", "body": body}
            yield {"id": "x", "custom_id": line["custom_id"], "response": response, "error": None}


def _lines(found: Any) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in found)
