"""Personal data: sealed where it is stored, masked where it is shown."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Sealer:
    """Seals short texts under a key derived from the deployment's secret."""

    def __init__(self, secret: str) -> None:
        self._box = Fernet(base64.urlsafe_b64encode(_derived(secret, b"wuzhang personal data")))
        self._mark = _derived(secret, b"wuzhang marks")
        self._signing = _derived(secret, b"wuzhang voting codes")

    def mark(self, *parts: str) -> str:
        """The same for the same parts, and not to be guessed without the secret: tells a person again without keeping who they are."""
        return hmac.digest(self._mark, "\0".join(parts).encode(), "sha256").hex()

    def seal(self, text: str) -> str:
        return self._box.encrypt(text.encode()).decode()

    def seal_without_time(self, text: str) -> str:
        """Sealed texts say when they were sealed; this one does not."""
        return self._box.encrypt_at_time(text.encode(), 0).decode()

    def sign(self, message: bytes) -> bytes:
        """32 bytes that nobody can compute without the secret."""
        return hmac.digest(self._signing, message, hashlib.sha256)

    def unseal(self, sealed: str) -> str:
        """The text; the empty text when it was sealed under another key."""
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return ""


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret.encode())


def is_mobile(text: str) -> bool:
    """Whether somebody can be called under this: 7 to 15 digits."""
    return text.isascii() and text.isdecimal() and 7 <= len(text) <= 15


def masked_name(name: str) -> str:
    """张三丰 → 张**"""
    return name[:1] + "*" * (len(name) - 1)


def masked_mobile(mobile: str) -> str:
    """13812345678 → 138****5678"""
    return f"{mobile[:3]}****{mobile[-4:]}" if len(mobile) >= 8 else "****"
