"""What the process studio refuses, by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from governance.calendar.rules import SHANGHAI
from governance.errors import GovernanceError


class DraftChanged(GovernanceError):
    """草稿已被他人修改。"""

    def __init__(self, by: str, at: datetime, changes: Sequence[str]) -> None:
        super().__init__(f"草稿已由{by}于 {at.astimezone(SHANGHAI):%m-%d %H:%M} 修改，您的内容没有保存。")
        self.by, self.at, self.changes = by, at, tuple(changes)


class DraftHeld(GovernanceError):
    """草稿正由他人编辑。"""

    def __init__(self, by: str) -> None:
        super().__init__(f"{by}正在编辑这份草稿，您可以查看，或者接手编辑。")
        self.by = by


class DraftClosed(GovernanceError):
    """草稿已提交审批或已结束，不能再修改。"""


class NothingChanged(GovernanceError):
    """草稿与现行版本一致，无需提交。"""


class BehindPublished(GovernanceError):
    """草稿不是在现行版本基础上修改的，不能提交。"""

    def __init__(self, number: int) -> None:
        super().__init__(f"草稿建立后又发布了第 {number} 版，请先核对两者的差异，再以现行版本为基础提交。")
        self.number = number


class RetiredMeanwhile(GovernanceError):
    """提交审批以后流程已经停用。"""


class OtherThanAgreed(GovernanceError):
    """草稿内容与提交审批时不一致，未予发布。"""


class AlreadyUnderWay(GovernanceError):
    """这个流程已有一项变更在审批或等待生效。"""


class ScenarioFailed(GovernanceError):
    """场景没有通过，不能提交。"""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"场景没有通过，不能提交：{'、'.join(names)}。")
        self.names = tuple(names)


class NeverRetired(GovernanceError):
    """系统自用的流程不能停用。"""


class NothingChosen(GovernanceError):
    """没有符合条件的事项。"""


class RunOver(GovernanceError):
    """这项任务已经结束，不能再取消。"""


class InstanceFailed(GovernanceError):
    """处理这件事项时系统出错，没有改动它，原因见系统日志。"""


class StillRunning(GovernanceError):
    """这项任务还没有结束，请等它完成或取消后再继续。"""
