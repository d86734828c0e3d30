"""Packages as zip files: what goes in comes out, and nothing in an archive is trusted."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn import shipped
from engine.archives import MAX_FILES, pack
from engine.diagram import MAX_BYTES
from engine.difference import difference, is_redrawn
from engine.errors import Unreadable
from engine.packages import DIAGRAM, MAX_PACKAGE, read_archive, read_package

DECISION = read_package(shipped()["decision_task"])


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


@pytest.mark.parametrize("key", shipped())
def test_a_package_comes_back_without_a_change(key: str, tmp_path: Path) -> None:
    package = read_package(shipped()[key])
    scenarios = {f"scenarios/{file.name}": file.read_bytes() for file in shipped()[key].glob("scenarios/*.yaml")}
    (tmp_path / "p.zip").write_bytes(pack({**package.files, **scenarios}))
    back = read_package(tmp_path / "p.zip")
    assert (back.digest, back.scenarios) == (package.digest, package.scenarios)
    assert difference(package, back, {}) == () and not is_redrawn(package, back)


def test_the_same_package_gives_the_same_bytes() -> None:
    assert pack(DECISION.files) == pack(dict(reversed(list(DECISION.files.items()))))


REFUSED = {
    "no diagram": (zipped({"forms/a.json": b"{}"}), "没有 process.bpmn"),
    "bomb": (zipped({DIAGRAM: b" " * 50 * MAX_PACKAGE}), "上限"),
    "too large": (pack(DECISION.files) + b" " * MAX_BYTES, "压缩包超过上限"),
    "many": (zipped({f"forms/{n}.json": b"{}" for n in range(MAX_FILES + 1)}), "上限"),
    "damaged": (pack(DECISION.files)[:-40], "损坏"),
    "only the mark": (b"PK", "损坏"),
    "scenario of no text": (zipped({**DECISION.files, "scenarios/a.yaml": b"\xff\xfe"}), "UTF-8"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_package_gets_a_sentence(kind: str) -> None:
    packed, sentence = REFUSED[kind]
    with pytest.raises(Unreadable, match=sentence):
        read_archive(packed)


def test_two_files_of_one_name_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(DIAGRAM, DECISION.files[DIAGRAM])
        archive.writestr(DIAGRAM, b"<other/>")
    with pytest.raises(Unreadable, match="同名"):
        read_archive(packed.getvalue())


def test_names_that_lead_elsewhere_are_left_out() -> None:
    strange = ("../process.bpmn", "/etc/passwd", "forms/../../x.json", "forms/deep/x.json", "evil.sh")
    back = read_archive(zipped({**DECISION.files, **dict.fromkeys(strange, b"{}")}))
    assert back.files == DECISION.files


@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_file_with_noise_in_it_is_read_or_refused(noise: bytes, place: int) -> None:
    whole = pack(DECISION.files)
    try:
        read_archive(whole[:place] + noise + whole[place + len(noise) :])
    except Unreadable as error:
        assert str(error)
