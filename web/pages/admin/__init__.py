"""What administrators see, one module a subject."""

from __future__ import annotations

from flask import request

from governance.errors import Refused
from web.language import gettext as _

ADMINISTRATOR, DESIGNER = "system_administrator", "process_designer"
Lines = tuple[tuple[int, str], ...]
"""What is wrong with a sheet, line by line."""


def sent_file() -> bytes:
    """The file of an import; raises `Refused`."""
    file = request.files.get("file")
    content = file.read() if file else b""
    if not content:
        raise Refused({"file": _("请选择要导入的文件")})
    return content
