"""Voting codes: whoever shows one is taken for the voter it was printed for.

They are computed from the deployment's secret, so that slips can be printed at any time and nothing of them is stored.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from governance.privacy import Sealer
from governance.voting.errors import UnknownCode

MARK = 15
"""Bytes that cannot be guessed: 120 bits."""
_NAMED = 12


def voting_code(sealer: Sealer, vote_id: int, number: int) -> str:
    """The code of a roll entry, fit for an address."""
    named = vote_id.to_bytes(8) + number.to_bytes(_NAMED - 8)
    return base64.urlsafe_b64encode(named + sealer.sign(named)[:MARK]).decode()


def read_code(sealer: Sealer, code: str) -> tuple[int, int]:
    """The vote and the number that a code stands for; raises `UnknownCode`."""
    try:
        read = base64.b64decode(code, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise UnknownCode from None
    named = read[:_NAMED]
    if len(read) != _NAMED + MARK or not hmac.compare_digest(sealer.sign(named)[:MARK], read[_NAMED:]):
        raise UnknownCode
    return int.from_bytes(named[:8]), int.from_bytes(named[8:])
