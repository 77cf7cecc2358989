"""What people change of LLM connections: what is secret stays, and stays where it was given for."""

import ipaddress

import pytest

from dashboard.connection_changes import ConnectionChanges
from dashboard.mandate import Mandate
from dashboard.model_calls import Providers
from evals.errors import CredentialsInvalid
from heliograph.domain.access import Project, Role
from heliograph.domain.errors import InvalidRequest, RoleInsufficient
from heliograph.domain.llm_connections import Adapter, NewLlmConnection
from heliograph.outbound import Outbound
from storage.postgres.connection import Database
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.users import Users
from storage.seal import Seal
from tests.provider import Provider, completion, error, serving

SEAL = Seal("key of the tests")
KEY = "sk-of-the-tests"


async def _changes(database: Database, project: Project, role: Role = Role.ADMIN) -> ConnectionChanges:
    users = Users(database)
    user = await users.create(f"{role}-{project.id}@connections.example", "Ada", "correct horse battery")
    await users.join_organization(user.id, project.organization_id, role)
    providers = Providers(SEAL, Outbound((ipaddress.ip_network("127.0.0.0/8"),)))
    return ConnectionChanges(database, Mandate(database, project, user), providers)


def _new(url: str = "http://127.0.0.1:9/v1", key: str = KEY, **values: object) -> NewLlmConnection:
    headers = {"x-team": "blue"} if key else {}
    given = {"adapter": Adapter.OPENAI, "custom_models": ("gpt-4o-mini",), "extra_headers": headers, **values}
    return NewLlmConnection(provider="house", secret_key=key, base_url=url, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_only_who_may_keeps_tests_and_deletes_connections(
    database: Database, project: Project, role: Role
) -> None:
    kept = await (await _changes(database, project)).put(_new())
    changes = await _changes(database, project, role)
    for attempt in (changes.put(_new()), changes.test(_new(), "gpt-4o-mini"), changes.delete(kept.id)):
        with pytest.raises(RoleInsufficient):
            await attempt
    assert await changes.kept() == [kept]


async def test_a_secret_that_is_not_given_stays_for_its_address_alone(database: Database, project: Project) -> None:
    changes = await _changes(database, project)
    with pytest.raises(InvalidRequest, match=r"secret key: is needed$"):
        await changes.put(_new(key=""))
    await changes.put(_new())
    changed = await changes.put(_new(key="", custom_models=("other",)))
    assert changed.custom_models == ("other",)
    opened = await LlmConnections(database, project.id, SEAL).opened("house")
    assert (opened.secret_key, opened.extra_headers) == (KEY, {"x-team": "blue"})
    for elsewhere in (_new("http://127.0.0.1:10/v1", key=""), _new(key="", adapter=Adapter.ANTHROPIC)):
        with pytest.raises(InvalidRequest, match="again where the adapter or the address changes"):
            await changes.put(elsewhere)
        with pytest.raises(InvalidRequest, match="again where the adapter or the address changes"):
            await changes.test(elsewhere, "gpt-4o-mini")


async def test_a_test_shows_the_answer_or_the_providers_error_and_keeps_nothing(
    database: Database, project: Project
) -> None:
    changes = await _changes(database, project)
    with serving(Provider(reply=lambda _: completion("works"))) as provider:
        answer = await changes.test(_new(provider.url), "gpt-4o-mini")
    assert (answer.text, answer.cost_usd is not None) == ("works", True)
    refusing = Provider(reply=lambda _: error(401, "Incorrect API key"))
    with serving(refusing), pytest.raises(CredentialsInvalid, match="Incorrect API key"):
        await changes.test(_new(refusing.url), "gpt-4o-mini")
    with pytest.raises(InvalidRequest, match="private network"):
        await changes.put(_new("http://10.0.0.1/v1"))
    assert await changes.kept() == []
