"""Signed cookies: who is signed in, and the token that ties a form to the browser it was shown in."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

from heliograph.domain.access import User
from heliograph.domain.identifiers import UserId

SESSION_COOKIE = "heliograph_session"
FORM_COOKIE = "heliograph_form"
SESSION_LIFETIME = timedelta(days=7)
FORM_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Sessions:
    """Writes and reads the cookies; whoever does not know the secret can do neither."""

    secret: str

    def sign_in(self, user: User) -> str:
        """The session cookie of the user."""
        return str(self._serializer("session").dumps([user.id, user.email, user.name]))

    def signed_in(self, cookie: str) -> User | None:
        """Whose session cookie this is; none for an absent, forged or expired one."""
        fields = self._read("session", cookie, SESSION_LIFETIME)
        if not isinstance(fields, list):
            return None
        user_id, email, name = fields
        return User(id=UserId(user_id), email=email, name=name)

    def form_token(self) -> str:
        """A token that goes out twice, in a cookie and in the form."""
        return str(self._serializer("form").dumps(secrets.token_urlsafe(18)))

    def is_own_form(self, cookie: str, token: str) -> bool:
        """Whether the posted token is ours, fresh, and the one that this browser holds."""
        if not hmac.compare_digest(cookie.encode(), token.encode()):
            return False
        return self._read("form", token, FORM_LIFETIME) is not None

    def challenge(self, fields: Sequence[str]) -> str:
        """A cookie of a sign-in that was begun elsewhere."""
        return str(self._serializer("challenge").dumps(list(fields)))

    def challenged(self, cookie: str, lifetime: timedelta) -> list[str] | None:
        """What such a cookie holds; none for an absent, forged or expired one."""
        fields = self._read("challenge", cookie, lifetime)
        return fields if isinstance(fields, list) else None

    def _read(self, purpose: str, text: str, lifetime: timedelta) -> object:
        try:
            return self._serializer(purpose).loads(text, max_age=int(lifetime.total_seconds()))
        except BadData:
            return None

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=f"heliograph-{purpose}")
