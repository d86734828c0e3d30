"""The engine's named errors. A docstring is the sentence people read; attributes carry the ids."""

from __future__ import annotations

from datetime import datetime
from typing import Any


class EngineError(Exception):
    """流程引擎无法执行该操作。"""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class Unreadable(EngineError):
    """文件无法读取：不是有效的 BPMN 流程图。"""


class NoSuchTask(EngineError):
    """该待办不存在或已办结。"""

    def __init__(self, key: str) -> None:
        super().__init__(f"待办“{key}”不存在或已办结。")
        self.key = key


class SeveralTasksOpen(EngineError):
    """该环节有多个待办，请指明是第几次。"""

    def __init__(self, element: str, keys: tuple[str, ...]) -> None:
        super().__init__(f"环节“{element}”有多个待办：{'、'.join(keys)}，请指明是哪一个。")
        self.element = element
        self.keys = keys


class NothingWaits(EngineError):
    """流程当前没有等待该消息或信号。"""

    def __init__(self, name: str) -> None:
        super().__init__(f"流程当前没有等待“{name}”。")
        self.name = name


class StepFailed(EngineError):
    """流程图在某个环节无法继续。"""

    def __init__(self, element: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.element = element
        self.rule = rule
        self.message = message


class NoSuchInstance(EngineError):
    """该流程实例不存在。"""


class NoSuchVersion(EngineError):
    """该流程版本不存在。"""

    def __init__(self, key: str) -> None:
        super().__init__(f"流程“{key}”没有已发布的版本。")
        self.key = key


class VersionRefused(EngineError):
    """流程包存在问题，不能发布。"""

    def __init__(self, problems: tuple[Any, ...]) -> None:
        super().__init__("流程包存在问题，不能发布：" + "；".join(p.message for p in problems if p.severity == "error"))
        self.problems = problems


class InstanceAtRest(EngineError):
    """该流程实例不在运行中，不能执行此操作。"""

    def __init__(self, status: str) -> None:
        words = {"suspended": "已挂起", "finished": "已结束", "cancelled": "已终止", "running": "正在运行"}
        super().__init__(f"该流程实例{words.get(status, '状态异常')}，不能执行此操作。")
        self.status = status


class TaskClosed(EngineError):
    """该待办已经办结。"""

    def __init__(self, key: str, by: str | None, at: datetime | None, outcome: str | None = None) -> None:
        super().__init__()
        self.key = key
        self.by = by
        self.at = at
        self.outcome = outcome


class ClaimedByOther(EngineError):
    """该待办已由他人签收。"""

    def __init__(self, key: str, by: str) -> None:
        super().__init__()
        self.key = key
        self.by = by


class StaleRevision(EngineError):
    """页面打开后，该事项又有了新的进展，请刷新后再办理。"""


class DataRefused(EngineError):
    """提交的内容含有无法保存的字符或数值。"""


class NoSuchCommand(EngineError):
    """记录中没有这一步。"""


class NoIncident(EngineError):
    """该异常不存在或已处理。"""


class Erased(EngineError):
    """该步骤的内容已依法删除，无法回放。"""

    def __init__(self, seq: int) -> None:
        super().__init__(f"第 {seq} 步的内容已依法删除，无法回放到这一步之后。")
        self.seq = seq


class Diverged(EngineError):
    """回放与记录不一致。"""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"回放到第 {seq} 步时与记录不一致：{reason}")
        self.seq = seq


class PlanRefused(EngineError):
    """对应关系有误：其中写明的环节不在流程图中，或者重复。"""

    def __init__(self, elements: tuple[str, ...]) -> None:
        super().__init__(f"对应关系有误，以下环节不在流程图中，或者重复：{'、'.join(elements)}。")
        self.elements = elements


class WrongVersion(EngineError):
    """只能移到同一流程的另一个版本。"""


class NothingToWithdraw(EngineError):
    """已经有了后续动作，或者已经通知了外部，不能取回。"""


class TakenBack(EngineError):
    """这次提交后来被取回了，请在重新打开的页面上提交。"""


class NothingToUndo(EngineError):
    """移到新版之后又有了新的进展，或者没有移过，不能撤销。"""


class Unanswered(EngineError):
    """办理记录无法在新版流程上继续。"""

    def __init__(self, seq: int, element: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.seq = seq
        self.element = element
        self.rule = rule
        self.message = message
