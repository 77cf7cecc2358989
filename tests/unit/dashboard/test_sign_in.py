import pytest

from dashboard.lockout import MAX_FAILURES, WINDOW, Lockout
from dashboard.login import local_target
from dashboard.sessions import Sessions
from heliograph.domain.access import User
from heliograph.domain.identifiers import UserId

ADA = User(id=UserId("u1"), email="ada@example.com", name="Ada")


def test_session_cookie_names_its_user() -> None:
    sessions = Sessions("secret")
    assert sessions.signed_in(sessions.sign_in(ADA)) == ADA


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="nonsense"),
        pytest.param(Sessions("another secret").sign_in(ADA), id="another secret"),
        pytest.param(Sessions("secret").form_token(), id="form token"),
    ],
)
def test_cookie_not_made_here_for_this_is_no_session(cookie: str) -> None:
    assert Sessions("secret").signed_in(cookie) is None


def test_form_token_must_be_ours_and_the_browsers() -> None:
    sessions = Sessions("secret")
    token = sessions.form_token()
    assert sessions.is_own_form(token, token)
    assert not sessions.is_own_form(sessions.form_token(), token)
    assert not sessions.is_own_form("", "")
    assert not sessions.is_own_form("ä", "ä")


def test_lockout_follows_failures_and_ends_with_its_window() -> None:
    now = 0.0
    lockout = Lockout(clock=lambda: now)
    for _ in range(MAX_FAILURES):
        assert not lockout.is_locked("Ada@example.com", "10.0.0.1")
        lockout.record_failure("ada@example.com", "10.0.0.1")
    assert lockout.is_locked("ada@example.com", "10.0.0.1")
    assert not lockout.is_locked("ada@example.com", "10.0.0.2")
    now = WINDOW.total_seconds() + 1
    assert not lockout.is_locked("ada@example.com", "10.0.0.1")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/traces?x=1", "/traces?x=1"), ("", "/"), ("//evil.example", "/"), ("https://evil.example", "/"),
        ("/\\evil.example", "/"), ("/login", "/"), ("/a\nb", "/"), ("javascript:alert(1)", "/"),
    ],
)  # fmt: skip
def test_sign_in_leads_only_to_pages_of_this_origin(target: str, path: str) -> None:
    assert local_target(target) == path
