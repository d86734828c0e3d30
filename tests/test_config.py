"""Configuration: what is wrong is refused with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from wuzhang.config import ConfigError, read_config


def test_nothing_set_is_a_trial_in_a_folder(tmp_path: Path) -> None:
    config = read_config({"WUZHANG_DATA_DIR": str(tmp_path / "data")})
    assert config.is_trial and config.database_url.startswith("sqlite:///") and len(config.secret_key) > 32
    assert read_config({"WUZHANG_DATA_DIR": str(tmp_path / "data")}).secret_key == config.secret_key
    assert (tmp_path / "data" / "trial-secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name, value",
    [
        ("WUZHANG_SECRET_KEY", "short"),
        ("WUZHANG_PORT", "http"),
        ("PORT", "70000"),
        ("WUZHANG_THREADS", "0"),
        ("WUZHANG_DATABASE_URL", "mysql://x/y"),
        ("WUZHANG_DATABASE_URL", "nonsense"),
        ("WUZHANG_REDIS_URL", "http://x"),
        ("WUZHANG_PROXY", "nginx.example.gov.cn"),
        ("WUZHANG_TYPO", "1"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_config({"WUZHANG_DATA_DIR": str(tmp_path), name: value})


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="WUZHANG_DATA_DIR"):
        read_config({"WUZHANG_DATA_DIR": str(tmp_path / "file" / "data")})
