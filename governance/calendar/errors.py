"""The calendar's named errors. A docstring is the sentence people read; attributes carry the facts."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction


class CalendarError(Exception):
    """工作日历无法执行该操作。"""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class NaiveMoment(CalendarError):
    """时刻没有写明时区。"""

    def __init__(self, moment: datetime) -> None:
        super().__init__(f"时刻“{moment.isoformat()}”没有写明时区。")
        self.moment = moment


class AmountOutOfRange(CalendarError):
    """时限必须在零到十年之间。"""

    def __init__(self, amount: Fraction) -> None:
        super().__init__()
        self.amount = amount


class ShiftsRejected(CalendarError):
    """班次无效：至少要有一个班次，每班先上班后下班，各班按先后排列且不重叠。"""


class PeriodRejected(CalendarError):
    """有效期无效：截止日期早于起始日期。"""


class YearNotPublished(CalendarError):
    """该年度的放假安排尚未公布。"""

    def __init__(self, year: int) -> None:
        super().__init__(f"{year} 年的放假安排尚未公布，请待公布后导入。")
        self.year = year
