"""Organizations, their projects, keys and members, by the key of an organization, and by SCIM."""

import os
from typing import Any

import pytest

pytestmark = pytest.mark.needs("organizations.get_organization_memberships")
USER_ID = os.environ.get("USER_ID", "")


def test_a_project_is_created_changed_and_deleted(organization: Any, name: str) -> None:
    made = organization("projects.create", name=name, retention=0, metadata={"team": "red"})
    assert (made.name, made.metadata) == (name, {"team": "red"})
    listed = organization("organizations.get_organization_projects").projects
    assert made.id in [each.id for each in listed]

    changed = organization(
        "projects.update", project_id=made.id, name=f"{name}-b", metadata={"team": "blue"}, retention=7
    )

    assert (changed.name, changed.metadata) == (f"{name}-b", {"team": "blue"})
    assert organization("projects.delete", project_id=made.id).success


def test_keys_of_a_project_are_created_listed_and_deleted(organization: Any, project_id: str, name: str) -> None:
    made = organization("projects.create_api_key", project_id=project_id, note=name)
    assert (made.note, made.public_key[:6], made.secret_key[:6]) == (name, "pk-lf-", "sk-lf-")

    listed = organization("projects.get_api_keys", project_id=project_id).api_keys

    (found,) = [each for each in listed if each.id == made.id]
    assert (found.note, found.public_key) == (name, made.public_key)
    assert made.secret_key not in str(listed)
    assert organization("projects.delete_api_key", project_id=project_id, api_key_id=made.id).success
    assert made.id not in [each.id for each in organization("projects.get_api_keys", project_id=project_id).api_keys]


def test_the_keys_of_an_organization_are_listed(organization: Any) -> None:
    public_keys = [each.public_key for each in organization("organizations.get_organization_api_keys").api_keys]

    assert os.environ["ORGANIZATION_PUBLIC_KEY"] in public_keys


def test_members_get_roles_in_a_project_and_lose_them(organization: Any, project_id: str) -> None:
    at = {"project_id": project_id}
    put = organization("organizations.update_project_membership", user_id=USER_ID, role="VIEWER", **at)
    assert (put.user_id, put.role) == (USER_ID, "VIEWER")

    (member,) = organization("organizations.get_project_memberships", **at).memberships

    assert (member.user_id, member.role) == (USER_ID, "VIEWER")
    assert organization("organizations.delete_project_membership", user_id=USER_ID, **at).user_id == USER_ID
    assert organization("organizations.get_project_memberships", **at).memberships == []


def test_a_user_joins_by_scim_changes_role_and_leaves(organization: Any, name: str) -> None:
    made = organization(
        "scim.create_user", user_name=f"{name}@example.org", name={"formatted": "Ada Byron"}, active=True
    )
    assert (made.user_name, made.emails[0].value) == (f"{name}@example.org", f"{name}@example.org")
    assert organization("scim.get_user", user_id=made.id).user_name == f"{name}@example.org"
    found = organization("scim.list_users", filter=f'userName eq "{name}@example.org"')
    assert ([each.id for each in found.resources], found.total_results) == ([made.id], 1)

    put = organization("organizations.update_organization_membership", user_id=made.id, role="MEMBER")

    assert (put.user_id, put.role, put.email) == (made.id, "MEMBER", f"{name}@example.org")
    members = organization("organizations.get_organization_memberships").memberships
    assert {each.user_id: each.role for each in members}[made.id] == "MEMBER"
    assert organization("organizations.delete_organization_membership", user_id=made.id).user_id == made.id
    organization("organizations.update_organization_membership", user_id=made.id, role="VIEWER")
    # It has gone, as the standard's 204 says, in which the SDK looks for a body.
    with pytest.raises(Exception, match="status_code: 204"):
        organization("scim.delete_user", user_id=made.id)
    assert made.id not in [
        each.user_id for each in organization("organizations.get_organization_memberships").memberships
    ]


def test_scim_says_what_it_offers(organization: Any) -> None:
    assert organization("scim.get_service_provider_config").filter.supported
    assert "User" in [each.name for each in organization("scim.get_resource_types").resources]
    assert any("User" in each.id for each in organization("scim.get_schemas").resources)
