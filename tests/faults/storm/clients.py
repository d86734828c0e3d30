"""People at the interface: they act, they ask again until they are answered, and they write down what they were told."""

from __future__ import annotations

import base64
import http.client
import io
import json
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from tests.faults.invariants import Acknowledged

URL = "/api/v1"
TIMEOUT = 20.0
AGAIN = 0.1
"""Seconds before a question without an answer is asked again."""
ON_SPOT = {"measures": "更换了密封圈。", "reply_text": "已修好，请查看。"}
SETTLED = {"measures": "清运垃圾两车。", "contacted_reporter_at": "2026-03-02T15:30+08:00", "handle_result": "settled"}
CHECKED = {"site_checked": True, "check_note": "到现场看过。", "check_result": "pass"}
REFUSED = {"refuse_reason": "已进入诉讼仲裁复议纪检信访渠道", "told_route": "等待法院判决。", "reply_text": "请按诉讼程序办理。"}
REPLIED = {"reply_mode": "individual", "reply_text": "已修好，请查看。", "replied_at": "2026-03-04T10:00+08:00", "reply_result": "replied"}
WAYS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "accept_case": [
        ({"accept_result": "accept", "category": "0205"}, ""),
        ({"accept_result": "supplement", "category": "0202", "supplement_wanted": "请问是哪一盏？"}, ""),
        ({"accept_result": "on_spot", "category": "0205", **ON_SPOT}, "老旧管网"),
        ({"accept_result": "refuse", "category": "0102", **REFUSED}, "已经立案"),
    ],
    "grade_case": [({"category": "0205", "priority": "P3", "level": "tiered", "grade_result": "handle"}, "")],
    "handle_at_tier": [(SETTLED, "")],
    "check_by_upper_tier": [(CHECKED, "")],
    "check_by_dispatcher": [(CHECKED, "")],
    "reply_to_reporter": [(REPLIED, "")],
}
"""How a task may be finished: what is filled in, and the opinion."""


@dataclass
class Ledger:
    """What all clients were told, and how often they were refused."""

    told: list[Acknowledged] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, told: Acknowledged) -> None:
        with self.lock:
            self.told.append(told)

    def count(self, what: str) -> None:
        with self.lock:
            self.counted[what] += 1

    def wonder(self, status: int, said: str) -> None:
        """An answer that nobody should ever get."""
        with self.lock:
            self.strange.append(f"{status} {said[:300]}")


@dataclass
class Line:
    """A connection to whichever web process answers, as through a balancer."""

    ports: Callable[[], Sequence[int]]
    ledger: Ledger
    dice: random.Random
    stop: threading.Event
    token: str = ""
    open: http.client.HTTPConnection | None = None

    def once(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, dict[str, Any]] | None:
        """One question; nothing when there was no answer."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        if key:
            headers["Idempotency-Key"] = key
        try:
            if self.open is None:
                port, source = (
                    self.dice.choice(list(self.ports())),
                    ".".join(["127", *(str(self.dice.randrange(1, 250)) for _ in range(3))]),
                )
                self.open = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT, source_address=(source, 0))
            self.open.request(method, URL + path, None if body is None else json.dumps(body).encode(), headers)
            answer = self.open.getresponse()
            status, kind, said = answer.status, answer.headers.get_content_type(), answer.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            self.ledger.count("unanswered")
            return None
        if answer.will_close:
            self.hang_up()
        return status, self._read(status, kind, said)

    def _read(self, status: int, kind: str, said: bytes) -> dict[str, Any]:
        wanted = "application/json" if status < 400 else "application/problem+json"
        if kind != wanted or status == 500:
            self.ledger.wonder(status, said.decode(errors="replace"))
        return json.loads(said) if "json" in kind else {}

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, dict[str, Any]] | None:
        """Asks the same until there is an answer; nothing when the storm is over before."""
        asked = 0
        while not (self.stop.is_set() and asked):
            asked += 1
            found = self.once(method, path, body, key)
            if found and found[0] not in (500, 503, 507):
                if asked > 1 and found[1].get("repeated"):
                    self.ledger.count("repeated")
                return found
            if found:
                self.ledger.count(str(found[0]))
                self.hang_up()
            self.stop.wait(AGAIN)
        return None

    def act(self, kind: str, subject: str, path: str, body: object, key: str = "") -> dict[str, Any] | None:
        """Does something; the answer goes into the ledger when it was done."""
        self.ledger.count("commands")
        found = self.ask("POST", path, body, key)
        if found is None:
            return None
        status, answer = found
        if status in (200, 201):
            self.ledger.note(Acknowledged(kind, subject, key, answer))
            return answer
        self.ledger.count(str(status))
        if status not in (403, 404, 409):
            self.ledger.wonder(status, json.dumps(answer, ensure_ascii=False))
        return None

    def hang_up(self) -> None:
        if self.open:
            self.open.close()
            self.open = None


def report(line: Line, place: str) -> dict[str, Any] | None:
    """Reports something; everybody does so from an address of their own."""
    line.hang_up()
    text = f"楼道里的排水管漏水，第 {secrets.token_hex(4)} 次反映。"
    return line.act("report", text, "/cases", {"text": text, "place": place}, secrets.token_hex(12))


def work(line: Line) -> bool:
    """Takes something from the inbox and does it; says whether there was anything."""
    found = line.ask("GET", "/tasks?box=todo")
    items = [item for item in found[1].get("items", ()) if item["key"].partition("#")[0] in WAYS] if found else []
    if not items:
        return False
    task = line.dice.choice(items)
    element = task["key"].partition("#")[0]
    if not task["claimed_by"] and line.dice.random() < 0.4 and line.act("claim", task["id"], f"/tasks/{task['id']}/claim", {}) is None:
        return True
    data, opinion = line.dice.choice(WAYS[element])
    if element == "handle_at_tier":
        photo = line.act("photo", task["id"], f"/tasks/{task['id']}/photos", {"picture": picture(line.dice)})
        if photo is None:
            return True
        data = {**data, "photos_after": [photo["id"]]}
    line.act("complete", task["id"], f"/tasks/{task['id']}/complete", {"data": data, "opinion": opinion}, secrets.token_hex(12))
    return True


def picture(dice: random.Random) -> str:
    """A small photo that nobody has taken before."""
    out = io.BytesIO()
    Image.frombytes("RGB", (8, 8), dice.randbytes(192)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@contextmanager
def crowd(
    ports: Callable[[], Sequence[int]],
    tokens: Sequence[str],
    places: Sequence[str],
    ledger: Ledger,
    seed: int,
    size: tuple[int, int] = (3, 7),
) -> Iterator[None]:
    """Residents who report and staff who work, until the block ends."""
    stop = threading.Event()

    def live(number: int) -> None:
        dice = random.Random(seed * 1000 + number)
        line = Line(ports, ledger, dice, stop)
        while not stop.is_set():
            if number < size[0]:
                report(line, dice.choice(places))
                stop.wait(dice.random() * 0.3)
            else:
                line.token = dice.choice(tokens)
                if not work(line):
                    stop.wait(0.1)
        line.hang_up()

    threads = [threading.Thread(target=live, args=(n,), daemon=True) for n in range(sum(size))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        last = time.monotonic() + TIMEOUT + 5
        for thread in threads:
            thread.join(max(0.0, last - time.monotonic()))
        assert not any(thread.is_alive() for thread in threads), "a client waits for an answer that never comes"
