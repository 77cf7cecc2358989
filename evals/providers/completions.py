"""One whole answer of a model."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from evals.providers.library import litellm
from evals.providers.posts import Posted, post
from heliograph.outbound import Outbound

_OPENAI = "openai"
# Of a request what says how to call, and not what is asked.
_TRANSPORT = frozenset(
    {"model", "messages", "timeout", "max_retries", "num_retries", "client", "api_key", "api_base", "extra_headers"}
)


async def completion(request: Mapping[str, Any], outbound: Outbound | None = None) -> Any:
    """The response, as litellm has it, to a request that its `acompletion` would take; none is tried twice.

    A model that speaks OpenAI's protocol is asked by ourselves: litellm makes the request and reads the answer. That
    takes 1 ms of a core, where all of `acompletion` takes 7.

    Args:
        request: as litellm takes it.
        outbound: checks the addresses that we connect to. Where litellm connects (see `is_direct`) its `client` does.

    Raises:
        Exception: litellm's, and those of whatever lies below it; `failures.failure` tells them apart.
    """
    if not is_direct(request["model"]):
        return await litellm().acompletion(**request)
    return await _of_openai(request["model"].partition("/")[2], request, outbound)


@cache
def is_direct(model: str) -> bool:
    """Whether we connect to a model ourselves: it speaks OpenAI's protocol, and that of chat completions."""
    provider, _, name = model.partition("/")
    return provider == _OPENAI and litellm().model_cost.get(name, {}).get("mode", "chat") == "chat"


def body_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a model that speaks OpenAI's protocol is sent for a request that litellm takes."""
    return _translated(request["model"].partition("/")[2], request)[0]


async def _of_openai(model: str, request: Mapping[str, Any], outbound: Outbound | None) -> Any:
    config = _config(model)
    key, base = config.get_api_key(request.get("api_key")), config.get_api_base(request.get("api_base"))
    messages = request["messages"]
    body, parameters = _translated(model, request)
    known = {"custom_llm_provider": _OPENAI, "api_base": base}
    headers = config.validate_environment(
        dict(request.get("extra_headers") or {}), model, messages, parameters, known, key, base
    )  # fmt: skip
    url = config.get_complete_url(base, key, model, parameters, known)
    timeout = float(request["timeout"])
    posted = await post(url, json.dumps(body).encode(), headers, timeout_seconds=timeout, outbound=outbound)
    if posted.status != 200:
        raise _refusal(config, model, posted)
    return config.transform_response(
        model, _response(posted), litellm().ModelResponse(), _Unlogged(), body, messages, parameters, known, None
    )  # fmt: skip


def _translated(model: str, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body of a request, and its parameters as the provider names them."""
    config = _config(model)
    asked = {name: value for name, value in request.items() if name not in _TRANSPORT}
    parameters = litellm().get_optional_params(model=model, custom_llm_provider=_OPENAI, **asked)
    more = parameters.pop("extra_body", None) or {}
    known = {"custom_llm_provider": _OPENAI, "api_base": config.get_api_base(request.get("api_base"))}
    return {**config.transform_request(model, request["messages"], parameters, known, {}), **more}, parameters


def _refusal(config: Any, model: str, posted: Posted) -> Exception:
    """The error that litellm makes of an answer, told apart as its own calls tell it."""
    found = config.get_error_class(posted.body.decode("utf-8", "replace"), posted.status, dict(posted.headers))
    found.response = _response(posted)
    try:
        litellm().exception_type(model=model, original_exception=found, custom_llm_provider=_OPENAI)
    except Exception as error:  # noqa: BLE001 - it raises what it makes
        return error
    return found  # type: ignore[no-any-return]


def _response(posted: Posted) -> Any:
    import httpx  # noqa: PLC0415 - loaded with litellm, which takes it

    headers = [(name, value) for name, value in posted.headers.items() if name.lower() in _KEPT_HEADERS]
    return httpx.Response(posted.status, headers=headers, content=posted.body, request=httpx.Request("POST", "/"))


_KEPT_HEADERS = frozenset({"content-type", "retry-after"})


class _Unlogged:
    """litellm tells its logger of an answer before it reads it."""

    def post_call(self, **_told: Any) -> None:
        """Keep nothing."""


@cache
def _config(model: str) -> Any:
    library = litellm()
    return library.ProviderConfigManager.get_provider_chat_config(model, library.LlmProviders.OPENAI)
