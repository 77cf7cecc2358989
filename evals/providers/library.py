"""The library that reaches the providers."""

import asyncio
from functools import cache
from typing import Any

from heliograph.settings import keep_price_list_local


@cache
def litellm() -> Any:
    """The library, loaded where a model is asked first: it takes a second and hundreds of modules."""
    keep_price_list_local()
    import litellm  # noqa: PLC0415

    litellm.suppress_debug_info = True
    return litellm


async def loaded() -> Any:
    """The same, imported in a thread: seconds that hold up nothing else of this process."""
    return await asyncio.to_thread(litellm)


def cost_of(response: Any) -> float | None:
    """What a call cost in US dollars; None of a model without a price."""
    # The library has worked it out already: a second time would be a tenth of a call's CPU.
    known = (getattr(response, "_hidden_params", None) or {}).get("response_cost")
    if known is not None:
        return float(known)
    try:
        return float(litellm().completion_cost(completion_response=response))
    except Exception:  # noqa: BLE001 - litellm raises a bare Exception for a model without a price
        return None
