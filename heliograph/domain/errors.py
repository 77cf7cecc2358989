"""The errors of the domain. A docstring is the message; arguments are plain values, since errors cross Ray."""

from typing import ClassVar


class HeliographError(Exception):
    """Something went wrong inside Heliograph."""

    fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *values: object) -> None:
        super().__init__(*values)
        for name, value in zip(self.fields, values, strict=True):
            setattr(self, name, value)

    def __str__(self) -> str:
        message = " ".join((type(self).__doc__ or "").split())
        return message.format(**dict(zip(self.fields, self.args, strict=True)))


class InvalidRequest(HeliographError):
    """{field}: {reason}"""

    fields = ("field", "reason")
    field: str
    reason: str


class MalformedPayload(HeliographError):
    """The request body cannot be read: {reason}"""

    fields = ("reason",)
    reason: str


class UnsupportedContentType(HeliographError):
    """Content type {content_type!r} is not supported here: send {expected}."""

    fields = ("content_type", "expected")
    content_type: str
    expected: str


class UnsupportedEncoding(HeliographError):
    """Content encoding {encoding!r} is not supported here: send gzip, deflate or identity."""

    fields = ("encoding",)
    encoding: str


class PayloadTooLarge(HeliographError):
    """The request body is larger than {max_bytes} bytes: send it in smaller batches."""

    fields = ("max_bytes",)
    max_bytes: int


class CredentialsMissing(HeliographError):
    """No credentials were sent: use HTTP Basic authentication with a project's public and secret key.
    Confirm that you've configured the correct host."""


class CredentialsMalformed(HeliographError):
    """The Authorization header cannot be read: {reason}.
    Confirm that you've configured the correct host."""

    fields = ("reason",)
    reason: str


class KeyUnknown(HeliographError):
    """The API key is not known here, or its secret is wrong.
    Confirm that you've configured the correct host."""


class KeyRevoked(HeliographError):
    """The API key {public_key} was revoked or has expired.
    Confirm that you've configured the correct host."""

    fields = ("public_key",)
    public_key: str


class AccessDenied(HeliographError):
    """Access denied: this key may not use this endpoint. {reason}"""

    fields = ("reason",)
    reason: str


class RoleInsufficient(HeliographError):
    """Your role in this project is {role}, which may read it: ask one of its admins for a role that may change it."""

    fields = ("role",)
    role: str


class OrganizationKeyRefused(HeliographError):
    """This is the key of an organization: events are sent with the key pair of a project.
    Confirm that you've configured the correct host."""


class AdminKeyMissing(HeliographError):
    """This endpoint needs an admin key, and none is configured: set HELIOGRAPH_ADMIN_API_KEY."""


class Conflict(HeliographError):
    """{field}: {reason}"""

    fields = ("field", "reason")
    field: str
    reason: str


class QueryTooExpensive(HeliographError):
    """This query needs more memory or time than a request may have: narrow its time range, add filters,
    ask for fewer fields, or lower its limit."""


class TooManyStreams(HeliographError):
    """As many results are streamed here as may be at once: retry after {retry_after} s."""

    fields = ("retry_after",)
    retry_after: float


class StreamBroken(HeliographError):
    """The result ended before its last row: {reason}. Ask again, or for less at once."""

    fields = ("reason",)
    reason: str


class Overloaded(HeliographError):
    """This project has more events in flight than its buffer holds: retry after {retry_after} s."""

    fields = ("retry_after",)
    retry_after: float


class RateLimited(HeliographError):
    """This project may send {limit} requests a minute to {group}: retry after {retry_after} s, at {reset_at}."""

    fields = ("group", "limit", "reset_at", "retry_after")
    group: str
    limit: int
    reset_at: str
    retry_after: float


class QuotaExceeded(HeliographError):
    """This project has sent the {limit} events that it may send in a {period}: the next one begins at {reset_at},
    in {retry_after} s."""

    fields = ("limit", "period", "reset_at", "retry_after")
    limit: int
    period: str
    reset_at: str
    retry_after: float


class Unavailable(HeliographError):
    """{service} is not available at the moment: retry after {retry_after} s."""

    fields = ("service", "retry_after")
    service: str
    retry_after: float


class RowsRefused(HeliographError):
    """{table} does not take these rows, however often they are sent: {reason}"""

    fields = ("table", "reason")
    table: str
    reason: str


class EvaluationSkipped(HeliographError):
    """Not evaluated: {reason}"""

    fields = ("reason",)
    reason: str


class VerdictInvalid(HeliographError):
    """The evaluator {evaluator} gave a verdict that it may not give: {reason}"""

    fields = ("evaluator", "reason")
    evaluator: str
    reason: str


class ScoreRefused(HeliographError):
    """The server refused the score of {subject}: {reason}"""

    fields = ("subject", "reason")
    subject: str
    reason: str


class RunEvaluatorFailed(HeliographError):
    """The evaluator {name} of the whole run gave no score: {reason}. The items and their scores are kept."""

    fields = ("name", "reason")
    name: str
    reason: str


class BackfillFailed(HeliographError):
    """Backfill {backfill_id} ended before its end: {reason}"""

    fields = ("backfill_id", "reason")
    backfill_id: str
    reason: str
