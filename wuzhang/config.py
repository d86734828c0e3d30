"""Configuration, read from the environment alone; a wrong value is refused at start with its name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "WUZHANG_"
SETTINGS = {
    "DATABASE_URL": "数据库地址，默认为数据目录中的 SQLite 文件；生产环境用 postgresql+psycopg://…",
    "REDIS_URL": "后台任务的唤醒队列和多个网页进程共用的计数，如 redis://127.0.0.1:6379/0；不设置时网页进程自己处理到期事项、自己计数",
    "SECRET_KEY": "会话签名与个人信息加密的密钥，至少 32 个字符；不设置时在数据目录中生成一份，仅供试用",
    "DATA_DIR": "数据目录：SQLite 文件、照片、锚定文件、试用密钥，默认为当前目录下的 var",
    "ANCHOR": "锚定文件：记录的检查点逐条追加到这里，默认为数据目录中的 anchor.jsonl；宜放到数据库管理员写不到的另一处存储",
    "HOST": "监听地址，默认 127.0.0.1",
    "PORT": "监听端口，默认 8000；PORT 也可以",
    "THREADS": "网页进程的线程数，默认 4；开多个网页进程时用 1",
    "PROXY": "前面的反向代理的 IP 地址，如 127.0.0.1：只信它在 X-Forwarded-For 里写明的访问者地址；不设置时谁写的都不信",
    "SERVICES": "流程调用的外部服务，名称=地址，逗号分隔，如 sms=https://sms.example.gov.cn/send",
    "PUBLIC_URL": "居民从外部访问的地址，写进二维码，如 https://example.gov.cn",
}


class ConfigError(Exception):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True)
class Config:
    """Everything that differs between deployments."""

    database_url: str
    secret_key: str = field(repr=False)
    data_dir: Path
    host: str
    port: int
    threads: int
    public_url: str
    is_trial: bool
    redis_url: str = ""
    services: tuple[tuple[str, str], ...] = ()
    anchor_file: str = ""
    proxy: str = ""

    @property
    def anchor(self) -> Path:
        """The file to which checkpoints are appended."""
        return Path(self.anchor_file).absolute() if self.anchor_file else self.data_dir / "anchor.jsonl"


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration; raises `ConfigError`. Makes the data directory, and a trial secret where none is set."""
    unknown = [name for name in environ if name.startswith(PREFIX) and name[len(PREFIX) :] not in SETTINGS and "_TEST_" not in name]
    if unknown:
        raise ConfigError(f"没有 {unknown[0]} 这项配置。")
    data_dir = Path(environ.get("WUZHANG_DATA_DIR") or "var").absolute()
    secret = environ.get("WUZHANG_SECRET_KEY", "")
    if secret and len(secret) < 32:
        raise ConfigError("WUZHANG_SECRET_KEY 至少 32 个字符。")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        key = secret or _trial_secret(data_dir / "trial-secret")
    except OSError as error:
        raise ConfigError(f"WUZHANG_DATA_DIR 不可写：{data_dir}") from error
    return Config(
        database_url=_database_url(environ.get("WUZHANG_DATABASE_URL") or f"sqlite:///{data_dir / 'wuzhang.db'}"),
        secret_key=key,
        data_dir=data_dir,
        host=environ.get("WUZHANG_HOST") or "127.0.0.1",
        port=_number(environ, "WUZHANG_PORT", "PORT", default=8000, lowest=1, highest=65535),
        threads=_number(environ, "WUZHANG_THREADS", default=4, lowest=1, highest=64),
        public_url=(environ.get("WUZHANG_PUBLIC_URL") or "").rstrip("/"),
        is_trial=not secret,
        redis_url=_redis_url(environ.get("WUZHANG_REDIS_URL") or ""),
        services=_services(environ.get("WUZHANG_SERVICES") or ""),
        anchor_file=environ.get("WUZHANG_ANCHOR") or "",
        proxy=_address(environ.get("WUZHANG_PROXY") or ""),
    )


def _trial_secret(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def _database_url(url: str) -> str:
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise ConfigError("WUZHANG_DATABASE_URL 不是数据库地址。") from error
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError("WUZHANG_DATABASE_URL 只支持 SQLite 和 PostgreSQL。")
    return url


def _redis_url(url: str) -> str:
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError("WUZHANG_REDIS_URL 应以 redis://、rediss:// 或 unix:// 开头。")
    return url


def _address(text: str) -> str:
    try:
        return str(ip_address(text)) if text else ""
    except ValueError as error:
        raise ConfigError("WUZHANG_PROXY 应为 IP 地址。") from error


def _services(text: str) -> tuple[tuple[str, str], ...]:
    found = [(name.strip(), url.strip()) for name, _, url in (part.partition("=") for part in text.split(",") if part.strip())]
    if any(not name or not url.startswith(("http://", "https://")) for name, url in found):
        raise ConfigError("WUZHANG_SERVICES 应写成 名称=http(s) 地址，多个用逗号分隔。")
    return tuple(found)


def _number(environ: Mapping[str, str], *names: str, default: int, lowest: int, highest: int) -> int:
    for name in names:
        text = environ.get(name)
        if text:
            if not text.isdecimal() or not lowest <= int(text) <= highest:
                raise ConfigError(f"{name} 应为 {lowest} 至 {highest} 的整数。")
            return int(text)
    return default
