import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from heliograph.domain.access import Project
from heliograph.domain.errors import Conflict, InvalidRequest, KeyRevoked, KeyUnknown
from heliograph.domain.identifiers import ProjectId
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from tests.integration.postgres.conftest import PEPPER


@pytest.fixture
def api_keys(database: Database) -> ApiKeys:
    return ApiKeys(database, PEPPER)


async def test_an_issued_key_stands_for_its_project(api_keys: ApiKeys, project: Project) -> None:
    issued = await api_keys.create(project.id, note="for the tests")

    principal = await api_keys.verify(issued.public_key, issued.secret_key)

    assert issued.public_key.startswith("pk-lf-")
    assert issued.secret_key.startswith("sk-lf-")
    assert (principal.project_id, principal.organization_id) == (project.id, project.organization_id)
    assert await api_keys.public_keys_of(project.id) == [issued.public_key]


async def test_a_wrong_secret_looks_like_an_unknown_key(api_keys: ApiKeys, project: Project) -> None:
    issued = await api_keys.create(project.id)

    with pytest.raises(KeyUnknown):
        await api_keys.verify(issued.public_key, issued.secret_key + "x")
    with pytest.raises(KeyUnknown):
        await api_keys.verify("pk-lf-nobody", issued.secret_key)


async def test_the_secret_is_not_stored_and_useless_under_another_pepper(
    api_keys: ApiKeys, database: Database, project: Project
) -> None:
    issued = await api_keys.create(project.id)

    async with database.transaction() as session:
        rows = await session.execute(text("SELECT api_keys::text FROM api_keys"))
        assert not [row for row in rows if issued.secret_key in str(row)]
    with pytest.raises(KeyUnknown):
        await ApiKeys(database, "another pepper").verify(issued.public_key, issued.secret_key)


async def test_a_revoked_key_is_refused_and_every_listener_hears_of_it(
    api_keys: ApiKeys, project: Project, dsn: str
) -> None:
    issued = await api_keys.create(project.id)
    with psycopg.connect(dsn.replace("+psycopg", ""), autocommit=True) as listener:
        listener.execute("LISTEN api_keys")

        await api_keys.revoke(issued.public_key)

        heard = [notice.payload for notice in listener.notifies(timeout=5, stop_after=1)]
    assert heard == [issued.public_key]
    with pytest.raises(KeyRevoked):
        await api_keys.verify(issued.public_key, issued.secret_key)
    await api_keys.revoke(issued.public_key)
    assert await api_keys.public_keys_of(project.id) == []


async def test_revoking_an_unknown_key_says_so(api_keys: ApiKeys) -> None:
    with pytest.raises(KeyUnknown):
        await api_keys.revoke("pk-lf-nobody")


async def test_an_expired_key_is_refused(api_keys: ApiKeys, database: Database, project: Project) -> None:
    issued = await api_keys.create(project.id)
    expiring = text("UPDATE api_keys SET expires_at = :moment WHERE public_key = :public_key")
    async with database.transaction() as session:
        moment = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(expiring, {"moment": moment, "public_key": issued.public_key})

    with pytest.raises(KeyRevoked):
        await api_keys.find(issued.public_key)


async def test_a_key_ends_when_it_was_told_to_and_can_be_given_more_time(
    api_keys: ApiKeys, project: Project, dsn: str
) -> None:
    issued = await api_keys.create(project.id, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(KeyRevoked):
        await api_keys.find(issued.public_key)

    with psycopg.connect(dsn.replace("+psycopg", ""), autocommit=True) as listener:
        listener.execute("LISTEN api_keys")
        await api_keys.expire(issued.public_key, None)
        heard = [notice.payload for notice in listener.notifies(timeout=5, stop_after=1)]

    assert heard == [issued.public_key]
    assert (await api_keys.find(issued.public_key)).expires_at is None


async def test_a_list_shows_ended_keys_and_of_secrets_only_their_ends(api_keys: ApiKeys, project: Project) -> None:
    ended = await api_keys.create(project.id, note="old")
    kept = await api_keys.create(project.id, note="new", secret_key="sk-lf-long-secret", public_key=f"pk-{project.id}")
    await api_keys.revoke(ended.public_key)

    old, new = await api_keys.list_of(project.id)

    assert (old.public_key, old.note, old.revoked_at is not None) == (ended.public_key, "old", True)
    assert (new.public_key, new.revoked_at, new.last_used_at) == (kept.public_key, None, None)
    assert new.secret_display == "sk-lf-...cret"


async def test_given_keys_are_kept_but_a_taken_public_key_is_refused(api_keys: ApiKeys, project: Project) -> None:
    chosen = f"pk-lf-{uuid.uuid4()}"
    issued = await api_keys.create(project.id, public_key=chosen, secret_key="sk-lf-chosen")
    assert (issued.public_key, issued.secret_key) == (chosen, "sk-lf-chosen")

    with pytest.raises(Conflict, match="publicKey: is taken already"):
        await api_keys.create(project.id, public_key=chosen, secret_key="sk-lf-other")
    with pytest.raises(InvalidRequest, match="both"):
        await api_keys.create(project.id, public_key="pk-lf-alone")


async def test_a_key_for_no_project_is_refused(api_keys: ApiKeys) -> None:
    with pytest.raises(InvalidRequest, match="project_id: names something that does not exist"):
        await api_keys.create(ProjectId("nowhere"))
