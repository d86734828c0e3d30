"""The demo's places and people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from random import Random

from sqlalchemy import select

from governance.context import Actor, Context
from governance.identity.commands import open_account
from governance.identity.models import Account
from governance.organisation.commands import NewUnit, add_unit
from governance.organisation.models import Kind, Unit
from governance.people.commands import add_person, appoint
from governance.people.models import Appointment, Person
from governance.people.queries import appointments_of
from governance.people.rules import principal
from governance.rolls.commands import import_members, open_book
from governance.rolls.rules import RollKind
from governance.workflow.models import CategoryDepartment

CODE = "500199"
STREETS = ("滨江街道", "北山街道", "钟楼街道")
COMMUNITIES = ("临江社区", "码头社区", "红砂社区", "桂花社区", "石岭社区", "兴无社区", "文昌社区", "书院社区", "双塔社区")
ESTATES = ("江畔花园", "望江小区", "锦绣家园", "桂苑", "石岭新村", "红光小区", "文昌里", "书香苑", "双塔公寓")
DEPARTMENTS = (
    ("区住房城乡建委", ("01", "0204", "0205", "0206", "0208", "0404", "0607")),
    ("区城市管理局", ("02", "03")),
    ("区交通运输委", ("0203",)),
    ("区公安分局", ("0407", "0403", "0308")),
    ("区应急管理局", ("04",)),
    ("区生态环境局", ("0306",)),
    ("区市场监管局", ("0304", "0406")),
    ("区民政局", ("06", "07")),
    ("区人力社保局", ("0603", "0604", "0504")),
    ("区卫生健康委", ("0602",)),
    ("区教育委", ("0605",)),
    ("区司法局", ("05",)),
    ("区规划自然资源局", ("0305", "0506")),
    ("区经济信息委", ("0207", "0209", "0405")),
    ("区政务服务中心", ("08", "09", "10", "99")),
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    "建国",
    "秀英",
    "志强",
    "丽娟",
    "永红",
    "海燕",
    "明",
    "静",
    "伟",
    "芳",
    "国庆",
    "小梅",
    "德华",
    "玉兰",
    "光荣",
    "晓东",
    "春生",
    "红霞",
    "文斌",
    "雪梅",
)
PASSWORD = "wuzhang-demo"


@dataclass
class Demo:
    """What is built on: the unit of work, the dice, and who has been made."""

    context: Context
    dice: Random
    district: Unit | None = None
    accounts: dict[str, Person] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    hash: str = ""

    def addressed(self, usernames: Iterable[str]) -> frozenset[str]:
        """What is addressed to these people."""
        people = [self.accounts[username].id for username in usernames]
        held = self.context.session.scalars(select(Appointment).where(Appointment.person_id.in_(people)))
        return frozenset(principal(a.post, a.unit_id) for a in held)

    def unit(self, kind: Kind, code: str, name: str, above: Unit | None, estate: Unit | None = None, households: int | None = None) -> Unit:
        new = NewUnit(kind, code, name, above.code if above else None, estate.code if estate else None, households)
        return add_unit(self.context.session, new, self.context.new_id(), date(2025, 1, 1))

    def person(self) -> Person:
        name = self.dice.choice(SURNAMES) + self.dice.choice(GIVEN)
        return add_person(self.context.session, self.context.new_id(), name, f"138{self.dice.randrange(10**8):08d}")

    def appoint(self, post: str, where: Unit, username: str, who: Person | None = None, *, deputy: bool = False) -> Person:
        holder = who or self.person()
        appoint(self.context.session, self.context.new_id(), holder, post, where, date(2025, 1, 1), deputy=deputy)
        if who is None:
            self.used[username] = self.used.get(username, 0) + 1
            self.account(holder, f"{username}{self.used[username]:02d}" if self.used[username] > 1 else username)
        return holder

    def account(self, who: Person, username: str) -> None:
        """All demo accounts share one password, hashed once."""
        session = self.context.session
        if not self.hash:
            self.hash = open_account(session, self.context.new_id(), who, username, PASSWORD).password_hash
        else:
            session.add(
                Account(
                    id=self.context.new_id(),
                    person=who,
                    username=username,
                    password_hash=self.hash,
                    stamp=f"{self.context.new_id():x}",
                    failures=0,
                )
            )
        self.accounts[username] = who


def build(context: Context, dice: Random, grids: int = 63) -> Demo:
    """One district, three subdistricts, nine communities, so many grids; with vacancies, deputies and double posts."""
    demo = Demo(context, dice)
    demo.district = district = demo.unit(Kind.DISTRICT, CODE, "云江区", None)
    for post, username in (
        ("joint_office", "lianxi"),
        ("joint_office", "lianxi"),
        ("joint_office", "lianxi"),
        ("joint_office_lead", "lianxizhuren"),
        ("district_leader", "lingdao"),
        ("auditor", "shenji"),
        ("system_administrator", "guanli"),
        ("process_designer", "liucheng"),
    ):
        demo.appoint(post, district, username)
    for number, (name, categories) in enumerate(DEPARTMENTS, 1):
        department = demo.unit(Kind.DEPARTMENT, f"{CODE}-D{number:02d}", name, district)
        who = demo.appoint("department_dispatcher", department, "bumen")
        demo.appoint("department_handler", department, "chengban")
        demo.appoint("department_lead", department, "bumenzhuren", who if number > 5 else None)
        context.session.add_all(CategoryDepartment(category=c, unit_id=department.id) for c in categories)
    per_community = _shares(grids, len(COMMUNITIES))
    for number, name in enumerate(STREETS, 1):
        street = demo.unit(Kind.SUBDISTRICT, f"{CODE}{number:03d}", name, district)
        demo.appoint("command_centre", street, "jiedao")
        demo.appoint("command_lead", street, "zhihui")
        demo.appoint("street_party_secretary", street, "dangwei")
        demo.appoint("judicial_office", street, "sifasuo")
        for offset in range(3):
            index = (number - 1) * 3 + offset
            _community(demo, street, f"{street.code}{offset + 1:03d}", index, per_community[index])
        _committee(demo, "street_party_secretary", street, "街道联席会议名册")
    _committee(demo, "joint_office_lead", district, "区联席会议名册")
    context.session.flush()
    return demo


def _committee(demo: Demo, keeper: str, unit: Unit, name: str) -> None:
    """The members of a joint meeting."""
    held = demo.context.session.scalars(select(Appointment).where(Appointment.post == keeper, Appointment.unit_id == unit.id)).first()
    if held:
        _open_roll(demo, held.person, unit, RollKind.COMMITTEE, name, COMMITTEE)


def _community(demo: Demo, street: Unit, code: str, index: int, grids: int) -> None:
    community = demo.unit(Kind.COMMUNITY, code, COMMUNITIES[index], street, households=grids * 320)
    lead = demo.appoint("community_lead", community, "shequ")
    if index % 3 == 2:
        demo.appoint("community_worker", community, "shouwen", lead)
    else:
        demo.appoint("community_worker", community, "shouwen")
    secretary = demo.appoint("community_party_secretary", community, "shuji", lead if index % 2 else None)
    demo.appoint("committee_director", community, "zhuren")
    demo.appoint("legal_adviser", community, "falv")
    demo.appoint("mediator", community, "tiaojie")
    estate = demo.unit(Kind.ESTATE, f"{code}-E1", ESTATES[index], community)
    demo.appoint("property_lead", estate, "wuye")
    demo.appoint("estate_party_secretary", estate, "zhibu")
    demo.appoint("owners_committee_lead", estate, "yeweihui")
    _rolls(demo, secretary, community, estate)
    sectors = [] if index % 3 == 1 else [demo.unit(Kind.SECTOR, f"{code}{n:02d}", f"第{'一二'[n - 1]}片区", community) for n in (1, 2)]
    for n, sector in enumerate(sectors):
        if not (index == 2 and n == 1):
            demo.appoint("sector_lead", sector, "pianqu")
    for n in range(1, grids + 1):
        above = sectors[n % len(sectors)] if sectors else community
        _grid(demo, above, f"{code}{n:05d}", f"第{_chinese(n)}网格", n, index, estate)


PARTY, REPRESENTATIVES, OWNERS, COMMITTEE = 30, 45, 60, 15
"""How many party members, representatives, owners and members of joint meetings the demo's rolls have."""
HEAD = "姓名,手机,户号,面积,业主编号,用户名"


def _rolls(demo: Demo, keeper: Person, community: Unit, estate: Unit) -> None:
    """The rolls on which votes are called: party members and representatives of a community, owners and party members of its estate."""
    for unit, kind, name, size in (
        (community, RollKind.PARTY_MEMBERS, "社区党员名册", PARTY),
        (community, RollKind.REPRESENTATIVES, "居民代表名册", REPRESENTATIVES),
        (estate, RollKind.PARTY_MEMBERS, "小区党员名册", PARTY // 2),
        (estate, RollKind.OWNERS, "业主名册", OWNERS),
    ):
        _open_roll(demo, keeper, unit, kind, name, size)


def _open_roll(demo: Demo, keeper: Person, unit: Unit, kind: RollKind, name: str, size: int) -> None:
    session, today = demo.context.session, demo.context.today
    who = Actor(keeper.id, keeper.name, None, tuple(appointments_of(session, keeper.id, today)))
    book = open_book(demo.context, who, unit, kind, name, date(2025, 1, 1))
    lines = [_listed(demo, number, kind) for number in range(1, size + 1)]
    import_members(demo.context, who, book, "\n".join([HEAD, *lines]).encode())


def _listed(demo: Demo, number: int, kind: RollKind) -> str:
    name = demo.dice.choice(SURNAMES) + demo.dice.choice(GIVEN)
    home = f"{(number - 1) // 20 + 1}栋{(number - 1) % 20 + 101}"
    area = f"{demo.dice.randrange(6000, 14000) / 100:.2f}" if kind is RollKind.OWNERS else ""
    return f"{name},138{demo.dice.randrange(10**8):08d},{home},{area},,"


def _grid(demo: Demo, above: Unit, code: str, name: str, n: int, index: int, estate: Unit) -> None:
    grid = demo.unit(Kind.GRID, code, name, above, households=320)
    lead = None
    if (n + index) % 13 != 6:
        lead = demo.appoint("grid_lead", grid, "wangge", deputy=(n + index) % 17 == 3)
    if n % 3 == 1:
        demo.appoint("grid_worker", grid, "wanggeyuan")
    elif lead:
        demo.appoint("grid_worker", grid, "wanggeyuan", lead)
    for b in (1, 2):
        building = demo.unit(Kind.BUILDING, f"{code}{b:05d}", f"{n * 2 + b - 2}栋", grid, estate if n <= 2 else None, 40)
        if n == 1 and b == 1:
            demo.appoint("building_lead", building, "loudong")


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (1 if i < total % parts else 0) for i in range(parts)]


def _chinese(n: int) -> str:
    digits = "零一二三四五六七八九"
    if n < 10:
        return digits[n]
    tens = ("" if n < 20 else digits[n // 10]) + "十" if n < 100 else ""
    return tens + (digits[n % 10] if n % 10 else "") if n < 100 else "".join(digits[int(c)] for c in str(n))
