"""The domain's named errors. A docstring is the sentence people read; attributes carry the ids."""

from __future__ import annotations


class GovernanceError(Exception):
    """无法执行该操作。"""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class NotFound(GovernanceError):
    """没有找到，或者您无权查看。"""


class NotAllowed(GovernanceError):
    """您的岗位没有办理此事项的权限。"""


class FileGone(GovernanceError):
    """这个文件已不在，请联系管理员。"""


class NoSpace(GovernanceError):
    """服务器磁盘空间不足，内容没有保存，请联系管理员腾出空间后重试。"""


class SheetRejected(GovernanceError):
    """导入表中有错误，未写入任何内容。"""

    def __init__(self, problems: tuple[tuple[int, str], ...]) -> None:
        super().__init__("导入表中有错误，未写入任何内容：" + "；".join(f"第 {line} 行{sentence}" for line, sentence in problems[:20]))
        self.problems = problems


class Refused(GovernanceError):
    """提交的内容有误。"""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("；".join(errors.values()))
        self.errors = errors
