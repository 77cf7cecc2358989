"""Secrets that must be readable again: AES-256-GCM, each ciphertext with the id of its key, so that keys rotate."""

import base64
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from heliograph.domain.errors import HeliographError

_VERSION = "v1"
_NONCE_BYTES = 12


class SecretUnreadable(HeliographError):
    """A stored secret was sealed with key {key_id}, which is not configured: store the secret again."""

    fields = ("key_id",)
    key_id: str


class Seal:
    """Seals with one key, and opens what that one or a former one has sealed.

    Args:
        key: a secret of high entropy, of which the encryption key is a digest.
        former: earlier ones.
    """

    def __init__(self, key: str, former: Sequence[str] = ()) -> None:
        digests = [hashlib.sha256(f"heliograph seal {one}".encode()).digest() for one in (key, *former)]
        self._ciphers = {hashlib.sha256(digest).hexdigest()[:8]: AESGCM(digest) for digest in digests}
        self._key_id = next(iter(self._ciphers))

    def seal(self, text: str, owner: str) -> str:
        """Return the ciphertext, which only opens for the same owner."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self._key_id].encrypt(nonce, text.encode(), owner.encode())
        return ":".join((_VERSION, self._key_id, base64.b64encode(sealed).decode()))

    def open(self, sealed: str, owner: str) -> str:
        """Return the text; raises SecretUnreadable when its key is not known, or it was sealed for another owner."""
        _, key_id, value = sealed.split(":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SecretUnreadable(key_id)
        content = base64.b64decode(value)
        try:
            return cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], owner.encode()).decode()
        except InvalidTag:
            raise SecretUnreadable(key_id) from None
