"""A warm parent that forks `wuzhang` commands, so that one more process costs a fork and not an interpreter.

What runs in the fork is the command itself, from its first line; what is killed is a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[3]


@dataclass
class Nursery:
    """The parent, as the storm sees it."""

    folder: Path
    warm: Path
    """A district of its own, on SQLite, by which the parent gets to know its work."""
    born: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("WUZHANG_") and k != "PORT"} | {"PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "tests.faults.storm.nursery", str(self.warm)]
        self.parent = subprocess.Popen(words, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.parent.stdout and "ready\n" in iter(self.parent.stdout.readline, ""), "the parent of all processes did not start"

    def bear(self, words: Sequence[str], environ: dict[str, str], log: str) -> int:
        """Starts a command; its process id, which is also that of its group."""
        assert self.parent.stdin and self.parent.stdout
        order = {"words": list(words), "environ": environ, "log": str(self.folder / f"{log}.log"), "folder": str(self.folder)}
        self.parent.stdin.write(json.dumps(order) + "\n")
        self.parent.stdin.flush()
        pid = int(self.parent.stdout.readline())
        self.born.add(pid)
        return pid

    def end(self, pid: int) -> None:
        """Kills a command and all it has forked, at once."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        while living := [process for process in {pid, *_group(pid)} if alive(process)]:
            for process in living:  # one that is hardly born has no group yet
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.005)
        self.born.discard(pid)

    def close(self) -> None:
        for pid in list(self.born):
            self.end(pid)
        self.parent.kill()
        self.parent.wait()


def members(pid: int) -> list[int]:
    """A command's process and those it has forked."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _group(pid: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError):
            if os.getpgid(process.pid) == pid:
                found.append(process.pid)
    return found


def main() -> None:
    """Forks what it is told to, until nobody tells it any more."""
    _warm(Path(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(order)
        print(pid, flush=True)


def _warm(folder: Path) -> None:
    """Does everything once, so that all code is loaded and the shipped process is read; leaves no thread and no connection."""
    import kombu.transport.redis  # noqa: F401

    import wuzhang.server  # noqa: F401
    from tests.api.clients import reported, signed_in, waiting
    from tests.faults.storm.house import Seed

    district = Seed.district(folder)
    app = district.app()
    case = reported(app)
    worker = signed_in(app, district, "wanggeyuan")
    worker.done(f"/tasks/{waiting(worker, case)}/claim", {})
    worker.read("/tasks", box="todo")
    district.tick()
    district.close()


def _become(order: dict[str, Any]) -> None:
    from wuzhang.cli import main as command

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, kept in enumerate((nothing, log, log)):
        os.dup2(kept, number)
    os.environ.update(order["environ"])
    os.chdir(order["folder"])
    status = 1
    try:
        command(order["words"], standalone_mode=False)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
