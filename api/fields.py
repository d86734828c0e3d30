"""Fields that read no more than can be stored, and say in Chinese what is wrong."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length
from werkzeug.routing import BaseConverter, ValidationError

from governance.cases.photos import Picture, read_picture
from governance.errors import Refused

LARGEST_ID = 2**63 - 1
DEEPEST = 16
ID = "[1-9][0-9]{0,18}"
WORDS: dict[str, Any] = {"required": "请填写", "null": "不能为空", "validator_failed": "填写不正确"}


class Body(ma.Schema):
    """What a client sends."""

    error_messages = {"unknown": "没有这一项", "type": "应当是一个 JSON 对象"}  # noqa: RUF012

    class Meta:
        unknown = ma.RAISE


class Answer(ma.Schema):
    """What a client is given: every field is always there, if only as null."""

    def on_bind_field(self, _name: str, field_obj: ma.fields.Field[Any]) -> None:
        field_obj.required = True


class Text(ma.fields.String):
    """A text of limited length that both databases can keep."""

    default_error_messages = WORDS | {"invalid": "应当是文字"}

    def __init__(self, longest: int, *, shortest: int = 0, **options: Any) -> None:
        limits = Length(shortest, longest, error=f"不能超过 {longest} 个字" if shortest < 2 else f"应为 {shortest} 至 {longest} 个字")
        super().__init__(validate=[limits], **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        if not is_storable(text):
            raise ma.ValidationError("含有无法保存的字符")
        return text


class Id(ma.fields.String):
    """A number to us, a string to clients: JavaScript keeps 53 bits."""

    default_error_messages = WORDS | {"invalid": "不是有效的编号"}

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"pattern": f"^{ID}$"}, **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:  # type: ignore[override]
        if not isinstance(value, str) or not re.fullmatch(ID, value) or int(value) > LARGEST_ID:
            raise self.make_error("invalid")
        return int(value)


class ContentSent(ma.fields.String):
    """A file in base64."""

    default_error_messages = WORDS | {"invalid": "应当是 base64 编码的文件"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bytes:  # type: ignore[override]
        try:
            return b64decode(super()._deserialize(value, *args, **kwargs), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self.make_error("invalid") from error


class PictureSent(ma.fields.String):
    """A photo in base64."""

    default_error_messages = WORDS | {"invalid": "应当是 base64 编码的照片"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Picture:  # type: ignore[override]
        try:
            return read_picture(b64decode(super()._deserialize(value, *args, **kwargs), validate=True))
        except (binascii.Error, ValueError) as error:
            raise self.make_error("invalid") from error
        except Refused as refused:
            raise ma.ValidationError(str(refused)) from refused


class Position(ma.fields.String):
    """Where the next page begins: what the page before gave, and nothing else."""

    default_error_messages = WORDS | {"invalid": "不是上一页给出的位置"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        moment, _, id = value.rpartition("~") if isinstance(value, str) else ("", "", "")
        try:
            right = bool(re.fullmatch(ID, id)) and int(id) <= LARGEST_ID and (not moment or _is_moment(moment))
        except (ValueError, OverflowError):
            right = False
        if not right:
            raise self.make_error("invalid")
        return str(value)


class Flag(ma.fields.Boolean):
    """Yes or no; `worded` where it comes as text."""

    default_error_messages = WORDS | {"invalid": "应为 true 或 false"}

    def __init__(self, *, worded: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.values: Mapping[Any, bool] = {"true": True, "false": False} if worded else {}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if isinstance(value, bool) and not self.values:
            return value
        if not isinstance(value, str) or value not in self.values:
            raise self.make_error("invalid")
        return self.values[value]


class Number(ma.fields.Integer):
    """A whole number; `worded` where it comes as text."""

    default_error_messages = WORDS | {"invalid": "应为整数", "too_large": "数值过大"}

    def __init__(self, *, worded: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.worded = worded

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if type(value) is int and not self.worded:
            return value
        if not self.worded or not isinstance(value, str) or not re.fullmatch("-?[0-9]{1,18}", value):
            raise self.make_error("invalid")
        return int(value)


class Values(ma.fields.Dict):
    """What a form was filled in with: JSON that both databases can keep."""

    default_error_messages = WORDS | {"invalid": "应当是一个 JSON 对象"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        read: Any = super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]
        if not is_storable(read):
            raise ma.ValidationError("含有无法保存的字符或数值")
        return read


class Moment(ma.fields.AwareDateTime):
    """An instant, in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **options)


class IdConverter(BaseConverter):
    """An id in an address."""

    regex = ID

    def to_python(self, value: str) -> int:
        if int(value) > LARGEST_ID:
            raise ValidationError
        return int(value)


def is_storable(value: Any, depth: int = 0) -> bool:
    """Whether PostgreSQL and SQLite can keep it: no NUL, no lone surrogates, no infinity, not too deep."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        case float():
            return isfinite(value)
        case int():
            return abs(value) <= LARGEST_ID
        case dict():
            return depth < DEEPEST and all(is_storable(k) and is_storable(v, depth + 1) for k, v in value.items())
        case list():
            return depth < DEEPEST and all(is_storable(v, depth + 1) for v in value)
    return value is None


def _is_moment(text: str) -> bool:
    moment = datetime.fromisoformat(text)
    return moment.tzinfo is not None and moment.astimezone(UTC) is not None
