"""What each role may do."""

from itertools import pairwise

from heliograph.domain.access import ORGANIZATION_SCOPES, PROJECT_SCOPES, Role

# From the highest to the lowest.
ROLES = list(Role)


def test_a_higher_role_may_do_whatever_a_lower_one_may() -> None:
    for higher, lower in pairwise(ROLES):
        assert PROJECT_SCOPES[higher] >= PROJECT_SCOPES[lower]
        assert ORGANIZATION_SCOPES[higher] >= ORGANIZATION_SCOPES[lower]


def test_an_admin_lacks_what_ends_or_pays() -> None:
    assert PROJECT_SCOPES[Role.OWNER] - PROJECT_SCOPES[Role.ADMIN] == {"project:delete"}
    assert ORGANIZATION_SCOPES[Role.OWNER] - ORGANIZATION_SCOPES[Role.ADMIN] == {
        "organization:CRUD_apiKeys",
        "organization:delete",
        "langfuseCloudBilling:CRUD",
    }


def test_members_write_what_they_work_with_and_viewers_read() -> None:
    assert {"prompts:CUD", "datasets:CUD", "scores:CUD"} <= PROJECT_SCOPES[Role.MEMBER]
    assert not {"apiKeys:CUD", "traces:delete", "models:CUD", "auditLogs:read"} & PROJECT_SCOPES[Role.MEMBER]
    assert {scope.rpartition(":")[2] for scope in PROJECT_SCOPES[Role.VIEWER]} == {"read"}
    assert len(PROJECT_SCOPES[Role.VIEWER]) == 18
    assert ORGANIZATION_SCOPES[Role.MEMBER] == {"organizationMembers:read"}


def test_no_role_may_do_nothing() -> None:
    assert not PROJECT_SCOPES[Role.NONE] | ORGANIZATION_SCOPES[Role.NONE]


def test_there_are_as_many_scopes_as_the_contract_has() -> None:
    assert len(ORGANIZATION_SCOPES[Role.OWNER]) == 9
    assert len(PROJECT_SCOPES[Role.OWNER]) >= 55
