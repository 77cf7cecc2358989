"""The keys of one owner, a project or an organization, as the API lists, issues and ends them."""

from heliograph.domain.access import KeyOwner
from serve_apps.api.answers import Answer, answer
from serve_apps.api.shapes.lists import Done
from serve_apps.api.shapes.organizations import IssuedKeyShape, KeyBody, KeyList, issued_key_shape, key_shape
from storage.postgres.api_keys import ApiKeys


class OwnedKeys:
    """The keys of an owner.

    Args:
        keys: of everybody.
        owner: whose they are.
    """

    def __init__(self, keys: ApiKeys, owner: KeyOwner) -> None:
        self._keys = keys
        self._owner = owner

    async def listed(self) -> Answer[KeyList]:
        """Every key that is not revoked."""
        found = await self._keys.list_of(self._owner)
        return answer({"apiKeys": [key_shape(key) for key in found if key.revoked_at is None]})

    async def issued(self, body: KeyBody) -> Answer[IssuedKeyShape]:
        """A new pair, whose secret is shown this once."""
        public_key, secret_key = body.pair
        issued = await self._keys.create(self._owner, note=body.note, public_key=public_key, secret_key=secret_key)
        return answer(issued_key_shape(issued), 201)

    async def revoked(self, key_id: str) -> Answer[Done]:
        """One is ended now; raises ApiKeyNotFound."""
        await self._keys.revoke_of(self._owner, key_id)
        return answer({"success": True})
