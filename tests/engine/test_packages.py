"""What a package freezes: the translations of its texts are part of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bpmn import shipped
from engine.errors import Unreadable
from engine.packages import DIAGRAM, Package, frozen_package, read_package

DRAWN = (shipped()["issue_disposal"] / DIAGRAM).read_bytes()


def made(folder: Path, texts: bytes | None) -> Package:
    (folder / DIAGRAM).write_bytes(DRAWN)
    if texts is not None:
        (folder / "texts").mkdir(exist_ok=True)
        (folder / "texts" / "en.json").write_bytes(texts)
    return read_package(folder)


def test_translations_are_frozen_with_the_version(tmp_path: Path) -> None:
    bare = made(tmp_path, None)
    package = made(tmp_path, json.dumps({"上报": "Report"}).encode())
    assert bare.texts == {} and package.texts == {"en": {"上报": "Report"}}
    assert package.digest != bare.digest
    assert frozen_package(package.files).texts == package.texts


@pytest.mark.parametrize("texts", [b"", b"{", b"[]", b'"x"', b'{"a": 1}', b'{"a": {"b": "c"}}', b'{"a": null}', b"\xff", b"[" * 100_000])
def test_what_is_no_flat_object_of_texts_is_refused(tmp_path: Path, texts: bytes) -> None:
    with pytest.raises(Unreadable, match=r"译文“texts/en.json”.*。"):
        made(tmp_path, texts)
