"""Loads the demo into an empty deployment."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from governance.organisation.models import Unit
from wuzhang.demo.district import PASSWORD, build
from wuzhang.demo.life import DAYS, Clock, Life
from wuzhang.demo.matters import Matters
from wuzhang.office import Office

SEED = 20260302
SHOWN = {
    "wanggeyuan": "网格员：受理、当场处置、分级分类",
    "wangge": "网格长：本网格处置",
    "pianqu": "片区长：本片区处置",
    "shequ": "社区长：本社区处置、核查",
    "shuji": "社区党组织书记：议题审查、提议、召集审议",
    "zhuren": "居委会主任：召集表决、张贴公示、分解交办",
    "yeweihui": "业委会主任：召集业主大会表决",
    "jiedao": "街道指挥中心：研判、吹哨",
    "lianxi": "区联席办：派单、退单审核、回访",
    "lianxizhuren": "区联席办主任：裁定、签批、通报",
    "bumen": "部门：签收、退单",
    "chengban": "部门承办人：处置、反馈",
    "lingdao": "联系区领导：督办",
    "guanli": "系统管理员：组织、人员、日历、账号、异常，审批流程变更",
    "liucheng": "流程设计员：修改、试算、提交流程",
    "shenji": "审计员：只读全部",
}


class DemoRefused(Exception):
    """The demo does not belong in this deployment; the message says why."""


def load_demo(
    office: Office, cases: int = 300, grids: int = 63, until: datetime | None = None, progress: Callable[[int], None] = lambda _: None
) -> bool:
    """Builds the district and lives its cases; False when there already is an organisation. Raises `DemoRefused`."""
    if not office.config.is_trial:
        raise DemoRefused("已设置 WUZHANG_SECRET_KEY，视为正式环境，不载入演示数据。")
    end = until or office.now()
    clock, numbers = Clock(end - timedelta(days=DAYS)), itertools.count()
    past = replace(office, now=clock, chance=lambda bits: next(numbers) % 2**bits)
    with past.work() as context:
        if context.session.scalar(select(Unit.id).limit(1)) is not None:
            return False
        dice = Random(SEED)
        demo = build(context, dice, grids)
        life = Life(context, clock, dice, end, shown=demo.addressed(SHOWN))
        matters = Matters(life)
        life.others["matter"] = matters.do
        matters.begin()
        life.live(cases, progress)
    return True


def accounts() -> list[tuple[str, str, str]]:
    """User name, password and what they do, for each kind of role."""
    return [(name, PASSWORD, role) for name, role in SHOWN.items()]
