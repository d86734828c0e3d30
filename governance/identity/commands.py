"""Signs people in, and keeps guessers out."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from governance.errors import GovernanceError, Refused
from governance.identity.models import Account, ApiToken
from governance.people.models import Person

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
TOKEN_LIVES = timedelta(hours=12)
MIN_PASSWORD, MAX_PASSWORD = 8, 128

_hasher = PasswordHasher()
_decoy = _hasher.hash(secrets.token_hex(16))


class WrongCredentials(GovernanceError):
    """用户名或密码不正确。"""


class AccountLocked(GovernanceError):
    """连续输错次数过多，账号已暂时锁定，请 15 分钟后再试。"""


def open_account(session: Session, account_id: int, person: Person, username: str, password: str) -> Account:
    """Opens an account; raises `Refused`."""
    if not 2 <= len(username) <= 60 or username.split() != [username]:
        raise Refused({"username": "用户名应为 2 至 60 个字符，不含空格"})
    if session.scalar(select(Account.id).where(Account.username == username)):
        raise Refused({"username": f"用户名“{username}”已被使用"})
    if session.scalar(select(Account.id).where(Account.person_id == person.id)):
        raise Refused({"username": f"{person.name}已经有账号"})
    account = Account(
        id=account_id, person=person, username=username, password_hash=_hashed(password), stamp=secrets.token_hex(8), failures=0
    )
    session.add(account)
    session.flush()
    return account


def sign_in(session: Session, username: str, password: str, now: datetime) -> Account:
    """The account behind a name and password; raises `WrongCredentials`, `AccountLocked`.

    The caller commits also when this raises: a failure counts. An unknown name takes as long as a known one.
    """
    account = session.scalar(select(Account).where(Account.username == username).with_for_update(of=Account))
    if account and account.locked_until and account.locked_until > now:
        raise AccountLocked
    right = _matches(account.password_hash if account else _decoy, password)
    if account is None or account.is_disabled:
        raise WrongCredentials
    if not right:
        account.failures += 1
        if account.failures >= MAX_FAILURES:
            account.failures, account.locked_until = 0, now + LOCKED_FOR
        session.flush()
        raise WrongCredentials
    account.failures, account.locked_until = 0, None
    session.flush()
    return account


def change_password(session: Session, account: Account, old: str, new: str) -> None:
    """The holder of an account changes the password; every session ends. Raises `Refused`."""
    if not _matches(account.password_hash, old):
        raise Refused({"old": "原密码不正确"})
    if old == new:
        raise Refused({"password": "新密码不能与原密码相同"})
    set_password(session, account, new)


def set_password(session: Session, account: Account, password: str) -> None:
    """Changes the password and ends every session; raises `Refused`."""
    account.password_hash, account.stamp = _hashed(password), secrets.token_hex(8)
    session.flush()


def _hashed(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused({"password": f"密码应为 {MIN_PASSWORD} 至 {MAX_PASSWORD} 个字符"})
    return _hasher.hash(password)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[:MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


def disable(session: Session, account: Account) -> None:
    """Closes an account and ends every session of it."""
    account.is_disabled, account.stamp = True, secrets.token_hex(8)
    session.flush()


def enable(session: Session, account: Account) -> None:
    """Opens a closed or locked account again."""
    account.is_disabled, account.locked_until, account.failures = False, None, 0
    session.flush()


def issue_token(session: Session, account: Account, token_id: int, now: datetime) -> str:
    """A token for a client of this account, which has just shown its password; those that ran out go."""
    session.execute(delete(ApiToken).where(ApiToken.account_id == account.id, ApiToken.expires_at <= now))
    token = secrets.token_urlsafe(32)
    issued = ApiToken(
        id=token_id,
        account_id=account.id,
        digest=token_digest(token),
        stamp=account.stamp,
        created_at=now,
        last_used_at=now,
        expires_at=now + TOKEN_LIVES,
    )
    session.add(issued)
    session.flush()
    return token


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
