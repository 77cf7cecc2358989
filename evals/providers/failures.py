"""What an error of a provider means for whoever asked."""

import math
from collections.abc import Iterator

from evals.errors import (
    AddressRefused,
    CallFailed,
    CallTimedOut,
    ContentRefused,
    ContextTooLong,
    CredentialsInvalid,
    CreditExhausted,
    EndpointUnreachable,
    ModelUnavailable,
    ProviderUnavailable,
    RateLimited,
    RequestInvalid,
)
from heliograph import outbound

# Providers send these as 429, which a second try does not heal.
_NO_CREDIT = ("insufficient_quota", "billing", "credit balance", "exceeded your current quota")


def failure(model: str, error: Exception) -> CallFailed:
    """What an error of litellm, or of the connection below it, means."""
    reason = f"{type(error).__name__}: {error}"[:500]
    status = getattr(error, "status_code", None)
    if refused := next((each for each in _chain(error) if isinstance(each, outbound.CallFailed)), None):
        return AddressRefused(model, str(refused))
    if any(sign in str(error).lower() for sign in _NO_CREDIT) and status in (402, 403, 429):
        return CreditExhausted(model, reason)
    if any(type(each).__name__ in _UNREACHABLE for each in _chain(error)):
        return EndpointUnreachable(model, reason)
    if status == 429:
        return RateLimited(model, reason, _retry_after(error))
    found = _BY_NAME.get(type(error).__name__) or _BY_STATUS.get(status or 0)
    if found is None:
        is_server = not isinstance(status, int) or status >= 500
        found = ProviderUnavailable if is_server else RequestInvalid
    return found(model, reason)


def failure_of_status(model: str, status: int, reason: str) -> CallFailed:
    """What the status of an answer means, where that and its text are all there is."""
    if any(sign in reason.lower() for sign in _NO_CREDIT) and status in (402, 403, 429):
        return CreditExhausted(model, reason)
    if status == 429:
        return RateLimited(model, reason, 0.0)
    return _BY_STATUS.get(status, ProviderUnavailable if status >= 500 else RequestInvalid)(model, reason)


_BY_NAME: dict[str, type[CallFailed]] = {
    "ContextWindowExceededError": ContextTooLong,
    "ContentPolicyViolationError": ContentRefused,
    "Timeout": CallTimedOut,
    "TimeoutError": CallTimedOut,
}
_BY_STATUS: dict[int, type[CallFailed]] = {
    400: RequestInvalid,
    401: CredentialsInvalid,
    402: CreditExhausted,
    403: CredentialsInvalid,
    404: ModelUnavailable,
    408: CallTimedOut,
    422: RequestInvalid,
    504: CallTimedOut,
}


_UNREACHABLE = ("ConnectError", "ClientConnectorError", "ConnectionRefusedError")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those behind it: litellm turns what went wrong below into errors of its own, but keeps it."""
    depth = 0
    while error is not None and depth < 10:
        yield error
        error, depth = error.__cause__ or error.__context__, depth + 1


def _retry_after(error: Exception) -> float:
    """Seconds that the provider asks to wait; 0 where it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        seconds = float(headers.get("retry-after", 0))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
