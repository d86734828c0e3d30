"""Outside services that a process calls: each is an address that takes JSON and answers with what the process is to know."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TIMEOUT = 10.0
"""Seconds an outside service may take."""
LARGEST_ANSWER = 64_000


@dataclass(frozen=True)
class Call:
    """What a process asks of a service. `id` is the same however often it has to be asked, so that the other side does it once."""

    id: int
    service: str
    instance_id: int
    element: str
    data: Mapping[str, Any]


Service = Callable[[Call], Mapping[str, Any]]
"""Asks, and gives the answer; raises `ServiceFailed`."""


class ServiceFailed(Exception):
    """A service that did not answer as it should; the message says so to an administrator."""


@dataclass(frozen=True)
class Webhooks:
    """Services as HTTP addresses by name."""

    addresses: Mapping[str, str]

    def __call__(self, call: Call) -> Mapping[str, Any]:
        address = self.addresses.get(call.service)
        if address is None:
            raise ServiceFailed(f"没有配置外部服务“{call.service}”的地址。")
        asked = {"id": str(call.id), "instance_id": str(call.instance_id), "element": call.element, "data": call.data}
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(call.id)}
        request = urllib.request.Request(address, json.dumps(asked, ensure_ascii=False).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                said = response.read(LARGEST_ANSWER + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise ServiceFailed(f"外部服务“{call.service}”答复 {error.code}。") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServiceFailed(f"外部服务“{call.service}”没有答复。") from error
        return _answer(call.service, said)


def _answer(service: str, said: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(said or b"{}") if len(said) <= LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise ServiceFailed(f"外部服务“{service}”的答复不是 JSON 对象，或者过大。")
    return answer
