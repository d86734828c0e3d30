"""What meetings refuse, by name."""

from __future__ import annotations

from datetime import datetime

from governance.calendar.rules import SHANGHAI
from governance.errors import GovernanceError
from governance.meetings.rules import Quorum


class NotNow(GovernanceError):
    """会议当前的状态不能进行此操作。"""


class AgendaFrozen(GovernanceError):
    """会议通知已发出，议程和参会名单不能再改动。"""


class NoExtraItems(GovernanceError):
    """该会议只能就通知载明的议题作出决定，不能增加临时议题。"""


class NoQuorum(GovernanceError):
    """未达到法定人数，不能开会。"""

    def __init__(self, quorum: Quorum) -> None:
        super().__init__(f"未达到法定人数，不能开会：应到 {quorum.due}，实到 {quorum.present}，还差 {quorum.missing} 人。")


class DoorsClosed(GovernanceError):
    """签到尚未开始：会前一小时起可以签到。"""


class MeetingOver(GovernanceError):
    """会议已结束，不能再签到。"""


class WrongCode(GovernanceError):
    """姓名与所填的号码不符，请核对后重试。"""


class CodeLocked(GovernanceError):
    """输错次数过多，请到签到处由工作人员签到。"""


class AlreadySignedIn(GovernanceError):
    """已经签到，不必重复签到。"""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"已于 {at.astimezone(SHANGHAI):%H:%M} 签到，不必重复签到。")


class OldMinutes(GovernanceError):
    """会议记录已有新的版本，请在最新版本上签名。"""


class AlreadySigned(GovernanceError):
    """已经在这一版会议记录上签名。"""


class NotPresent(GovernanceError):
    """只有到会的人员可以在会议记录上签名。"""
