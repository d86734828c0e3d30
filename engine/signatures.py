"""Signs what must be provable outside the deployment. Whoever has the public key can check it, and nobody can make it from that."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Signer:
    """Signs under an Ed25519 key derived from a secret; `public` is what verifiers need, 32 bytes."""

    def __init__(self, secret: str) -> None:
        seed = HKDF(SHA256(), 32, salt=None, info=b"wuzhang record").derive(secret.encode())
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def is_signed(message: bytes, signature: bytes, public: bytes) -> bool:
    """Whether the holder of this public key's secret has signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
