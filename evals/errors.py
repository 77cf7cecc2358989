"""Why a judge gave no verdict: what it answered, or what its provider said. Some causes pass, some a person removes."""

from typing import ClassVar

from heliograph.domain.errors import HeliographError
from heliograph.domain.evaluators import Spending


class NoVerdict(HeliographError):
    """The judge {judge} gave no verdict: {reason}"""

    fields = ("judge", "reason")
    judge: str
    reason: str
    # What the calls cost that led to nothing; set by whoever asked.
    spending: Spending = Spending()


class JudgeRefused(NoVerdict):
    """The judge {judge} refused to answer: {reason}"""


class AnswerCutOff(NoVerdict):
    """The answer of the judge {judge} was cut off at its limit of tokens: {reason}"""


class AnswerMalformed(NoVerdict):
    """The judge {judge} did not answer with JSON of the schema: {reason}"""


class AnswerOutOfRange(NoVerdict):
    """The judge {judge} answered with a value that it may not give: {reason}"""


class JuryIncomplete(HeliographError):
    """Only {verdicts} of {members} members of the jury gave a verdict: {reason}"""

    fields = ("verdicts", "members", "reason")
    verdicts: int
    members: int
    reason: str
    spending: Spending = Spending()


class CallFailed(HeliographError):
    """The model {model} cannot be called: {reason}"""

    fields: ClassVar[tuple[str, ...]] = ("model", "reason")
    model: str
    reason: str
    # Whether the same call may succeed later.
    is_passing: ClassVar[bool] = False
    # Why an evaluator that meets this is paused until a person acts; '' where one bad call says nothing of the next.
    block: ClassVar[str] = ""
    spending: Spending = Spending()


class RateLimited(CallFailed):
    """The provider of {model} allows no more calls for {retry_after} s: {reason}"""

    fields = ("model", "reason", "retry_after")
    retry_after: float
    is_passing = True


class ProviderUnavailable(CallFailed):
    """The provider of {model} is out of order: {reason}"""

    is_passing = True


class CallTimedOut(CallFailed):
    """The provider of {model} did not answer in time: {reason}"""

    is_passing = True


class EndpointUnreachable(CallFailed):
    """Nobody answers at the address of {model}: {reason}"""

    is_passing = True
    block = "LLM_CONNECTION_ENDPOINT_UNREACHABLE"


class AddressRefused(CallFailed):
    """The address of {model} may not be called from here: {reason}"""

    block = "LLM_CONNECTION_ENDPOINT_UNREACHABLE"


class RequestInvalid(CallFailed):
    """The provider of {model} refuses the request: {reason}"""


class ContextTooLong(RequestInvalid):
    """The prompt is too long for {model}: {reason}"""


class ContentRefused(RequestInvalid):
    """The provider of {model} refuses the content: {reason}"""


class CredentialsInvalid(CallFailed):
    """The provider of {model} refuses the key: {reason}"""

    block = "LLM_CONNECTION_AUTH_INVALID"


class CreditExhausted(CallFailed):
    """The account behind {model} has no credit left: {reason}"""

    block = "LLM_CONNECTION_BILLING_EXHAUSTED"


class ModelUnavailable(CallFailed):
    """The provider has no model {model}, or not for this key: {reason}"""

    block = "EVAL_MODEL_UNAVAILABLE"


def call_failed(cause: str, model: str, reason: str) -> CallFailed:
    """The error of a cause that was noted by its name."""
    kinds = {kind.__name__: kind for kind in (*CallFailed.__subclasses__(), *RequestInvalid.__subclasses__())}
    kind = kinds.get(cause, RequestInvalid)
    return kind(model, reason) if kind.fields == CallFailed.fields else RequestInvalid(model, reason)


class AnswerPending(HeliographError):
    """The judge {judge} was asked, and answers later."""

    fields = ("judge",)
    judge: str


class BatchUnanswered(CallFailed):
    """The provider of {model} left a question unanswered in every batch: {reason}"""


class BudgetExhausted(HeliographError):
    """The budget has no room for a call that can cost ${bound_usd}: raise it, and resume."""

    fields = ("bound_usd",)
    bound_usd: float


class JudgeUnbounded(HeliographError):
    """The judge {judge} has no known price, so that no budget can hold it: define its model under models."""

    fields = ("judge",)
    judge: str


class CodeBroken(HeliographError):
    """The code gave no scores."""


class CodeFailed(CodeBroken):
    """The code failed with {error}: {reason}"""

    fields = ("error", "reason")
    error: str
    reason: str


class CodeTimedOut(CodeBroken):
    """The code took longer than {seconds} s."""

    fields = ("seconds",)
    seconds: float


class CodeOutputInvalid(CodeBroken):
    """What the code said cannot be used: {reason}"""

    fields = ("reason",)
    reason: str


class SandboxUnavailable(HeliographError):
    """Code of users does not run here, since nothing could confine it: {reason}"""

    fields = ("reason",)
    reason: str
    block: ClassVar[str] = "CODE_SANDBOX_UNAVAILABLE"
