"""Tokens of calls whose usage nobody reported, counted without the network and only where the tokenizer is public."""

import base64
import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from heliograph.domain.models import Model, TokenizerConfig
from ingestion import values
from ingestion.values import Value

log = structlog.get_logger(__name__)

OPENAI = "openai"
# On the way of an event: ordinary text takes 10 ms for so many, one that was made for it 0.4 s. More is not counted.
MAX_CHARACTERS = 200_000
# tiktoken panics on much longer runs of spaces. Between words a cut changes no token.
_PIECE = 10_000
_BETWEEN_WORDS = re.compile(r"(?<=\w) (?=[^\W\d_])")
# OpenAI's cookbook, "How to count tokens with tiktoken": every reply is primed with these.
_REPLY_TOKENS = 3


class _Published(NamedTuple):
    """An encoding as litellm ships it: the file, its SHA-256, and the pattern by which texts are split."""

    file: str
    digest: str
    pattern: str


# Files, digests and patterns are those of tiktoken (MIT), which itself would load the files from the network.
_PUBLISHED: dict[str, _Published] = {
    "cl100k_base": _Published(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"""
        r"""\s+(?!\S)|\s""",
    ),
    "o200k_base": _Published(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"""
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"""
        r"""\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
    ),
}
_O200K = re.compile(r"gpt-4o|gpt-4\.[15]|gpt-[5-9]|chatgpt-4o|o[134]\b", re.IGNORECASE)
# Contract 5: a model that is not known is counted with this one.
_OTHERWISE = "cl100k_base"


def count(model: Model, input_text: str, output_text: str) -> dict[str, int]:
    """The tokens of input and output, as far as they can be known: nothing for images, nor without the encodings."""
    encoding = _encoding(_encoding_name(model.tokenizer.model)) if model.tokenizer_id == OPENAI else None
    if encoding is None:
        return {}
    counts = {
        "input": _input_tokens(encoding, model.tokenizer, input_text),
        "output": _output_tokens(encoding, output_text),
    }
    return {key: tokens for key, tokens in counts.items() if tokens}


def _encoding_name(model: str) -> str:
    if model in _PUBLISHED:
        return model
    return "o200k_base" if _O200K.match(model) else _OTHERWISE


@lru_cache(maxsize=8)
def _encoding(name: str) -> Any:  # tiktoken is an extra
    """The encoding, in half a second and 75 MB when it is first asked for; None where the extra is not installed."""
    litellm, tiktoken = importlib.util.find_spec("litellm"), importlib.util.find_spec("tiktoken")
    if litellm is None or tiktoken is None or not litellm.submodule_search_locations:
        log.info("tokens_not_counted", reason="the extra `tokenizers` is not installed")
        return None
    published = _PUBLISHED[name]
    # Read where it lies: importing litellm takes seconds.
    folder = Path(litellm.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
    try:
        content = (folder / published.file).read_bytes()
    except OSError as error:
        log.warning("tokens_not_counted", encoding=name, reason=str(error))
        return None
    if hashlib.sha256(content).hexdigest() != published.digest:
        log.warning("tokens_not_counted", encoding=name, reason="litellm's file is another")
        return None
    from tiktoken import Encoding  # noqa: PLC0415 - an extra

    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, content.splitlines())}
    return Encoding(name, pat_str=published.pattern, mergeable_ranks=ranks, special_tokens={})


def _input_tokens(encoding: Any, config: TokenizerConfig, text: str) -> int | None:  # as `_encoding`
    messages = _messages(text)
    if not messages:
        return _tokens(encoding, [text])
    texts = [list(_texts(message)) for message in messages]
    if any(None in found for found in texts):
        return None
    tokens = _tokens(encoding, [text for found in texts for text in found if text])
    if tokens is None:
        return None
    names = sum(1 for message in messages if message.get("name"))
    reply = _REPLY_TOKENS if config.tokens_per_message else 0
    return tokens + len(messages) * config.tokens_per_message + names * config.tokens_per_name + reply


def _output_tokens(encoding: Any, text: str) -> int | None:  # as `_encoding`
    messages = _messages(text)
    if not messages:
        return _tokens(encoding, [text])
    texts = [found for message in messages for found in _texts({**message, "role": "", "name": ""})]
    return None if None in texts else _tokens(encoding, [found for found in texts if found])


def _tokens(encoding: Any, texts: Iterable[str]) -> int | None:  # as `_encoding`
    known = list(texts)
    if sum(map(len, known)) > MAX_CHARACTERS:
        return None
    return sum(len(encoding.encode_ordinary(piece)) for text in known for piece in _pieces(values.clean(text)))


def _pieces(text: str) -> Iterator[str]:
    while len(text) > _PIECE:
        cuts = [found.start() for found in _BETWEEN_WORDS.finditer(text, _PIECE // 2, _PIECE)]
        cut = cuts[-1] if cuts else _PIECE
        yield text[:cut]
        text = text[cut:]
    yield text


def _messages(text: str) -> list[Mapping[str, Value]]:
    """The messages of a chat, alone, in a list or in an object; none when it is something else."""
    parsed = values.parsed_or_none(text)
    if isinstance(parsed, dict):
        inner = parsed.get("messages")
        parsed = inner if isinstance(inner, list) else [parsed]
    if not isinstance(parsed, list):
        return []
    messages = [one for one in parsed if isinstance(one, dict) and "role" in one]
    return list(messages) if len(messages) == len(parsed) else []


def _texts(message: Mapping[str, Value]) -> Iterator[str | None]:
    """What a message says; None for what is no text, such as an image."""
    for key in ("role", "name"):
        yield values.text(message.get(key)) if message.get(key) else ""
    content = message.get("content") or message.get("parts")
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict):
            yield _part(part)
        else:
            yield values.text(part) if part else ""
    if message.get("tool_calls"):
        yield values.to_json(message["tool_calls"])


def _part(part: Mapping[str, Value]) -> str | None:
    """The text of a part, as OpenAI or as OpenTelemetry's conventions write it; a call of a tool as its arguments."""
    for key in ("text", "content", "arguments"):
        found = part.get(key)
        if isinstance(found, str):
            return found
        if found is not None and key == "arguments":
            return values.to_json(found)
    return None
