"""The demo's matters: suggested, supported, voted on and carried out in the order of time, each step by whoever it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from governance.calendar.rules import first_day
from governance.cases.photos import add_photo
from governance.deliberation.commands import Resident, Suggestion, suggest, support
from governance.deliberation.process import rolls_for
from governance.forms.rules import Field, outcome, shown_fields
from governance.matters.models import Matter, Stage
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import of_kind
from governance.voting.codes import voting_code
from governance.voting.commands import cast_by_code
from governance.voting.models import RollEntry, Vote
from governance.voting.queries import rule_on
from governance.workflow.commands import Desk, complete
from wuzhang.demo.life import Life

TOPICS = (
    (88, Kind.COMMUNITY, 0, "增设非机动车充电棚", "楼道充电屡禁不止，居民没有地方充电。", "在两处空地建充电棚，刷卡计费。"),
    (80, Kind.ESTATE, 0, "更换门禁系统", "单元门禁坏了半年，外来人员随意进出。", "从公共收益中出资更换。"),
    (70, Kind.COMMUNITY, 1, "老旧小区加装扶手", "老人上下楼没有扶手。", "先从六十岁以上老人多的楼栋装起。"),
    (52, Kind.ESTATE, 2, "续聘物业服务企业", "物业合同下月到期。", "由业主共同决定是否续聘。"),
    (45, Kind.SUBDISTRICT, 0, "夜市摊点规范管理", "夜市占道，深夜噪声扰民。", "划定区域，限定时间，安排保洁。"),
    (33, Kind.COMMUNITY, 3, "设立社区食堂", "独居老人吃饭难。", "利用闲置门面，引入餐饮企业运营。"),
    (24, Kind.DISTRICT, 0, "增开社区公交环线", "三个社区到区医院没有直达公交。", "开行早晚高峰环线。"),
    (13, Kind.COMMUNITY, 4, "楼道堆物集中清理", "楼道堆物堵塞消防通道。", "每季度集中清理一次。"),
    (4, Kind.COMMUNITY, 0, "增加儿童活动设施", "附近没有孩子玩的地方。", "在小广场增设滑梯和沙坑。"),
    (2, Kind.ESTATE, 1, "地下车库照明改造", "车库灯坏了一半。", "换成感应灯，动用公共收益。"),
)
"""Days before the end, whose matter, and what it is about."""
CHOSEN = {
    "examine_topic": "accept",
    "draft_proposal": "legal",
    "give_legal_opinion": "lawful",
    "call_review_vote": "call",
    "call_resolution_vote": "call",
    "plan_implementation": "done",
    "confirm_delivery": "confirmed",
}
"""What is decided where the first button is not the usual one."""
WORDS = {
    "plan": "分两期实施，先试点后推开，施工期间设专人看护。",
    "funding": "公共收益、居民自筹与财政补助",
    "legal_opinion": "程序合法，资金使用应当公示。",
    "participants": "居委会、业委会、物业、相关住户代表",
    "minutes": "各方充分发表意见，对方案作了修改。",
    "vote_minutes": "唱票、计票、监票人签字。",
    "resolution_text": "同意按修改后的方案实施，费用和进度按月公示。",
    "notice_place": "社区公示栏、各楼栋单元门",
    "result_text": "已按决议完成，欢迎监督评价。",
}
KEEN, AGREEING = 0.85, 0.85


@dataclass
class Matters:
    """What happens to the demo's matters."""

    life: Life

    def begin(self) -> None:
        """Plans the suggestions; everything else follows from them."""
        for days, kind, place, title, problem, wish in TOPICS:
            at = (self.life.until - timedelta(days=days)).replace(hour=2)
            told = title, problem, wish
            self.life.plan(at, lambda kind=kind, place=place, told=told: self.suggest(kind, place, *told))  # type: ignore[misc]

    def suggest(self, kind: Kind, place: int, title: str, problem: str, wish: str) -> None:
        context, dice = self.life.context, self.life.dice
        unit: Unit = of_kind(context.session, kind)[place]
        matter, _ = suggest(context, Suggestion(unit, title, problem, wish, f"demo-matter-{title}"))
        for n in range(dice.randrange(3, 25)):
            mobile = f"137{dice.randrange(10**8):08d}"
            support(context, matter, Resident("居民", mobile, f"{n + 1}栋{dice.randrange(101, 606)}"))
        self.life.see_new_tasks()

    def do(self, held: Desk, task_id: int) -> None:
        """Whoever the task has come to does it; where no roll is there to vote on, it stays."""
        life, element = self.life, held.task["element"]
        matter = life.context.session.scalars(select(Matter).where(Matter.instance_id == held.task["instance_id"])).one()
        actor = life.holder(held.principals)
        chosen = outcome(held.form, held.data, life.clock.at)
        if actor is None or chosen is None:
            return
        choices = [choice.value for choice in chosen.choices]
        data: dict[str, Any] = {chosen.name: CHOSEN[element] if CHOSEN.get(element) in choices else choices[0]}
        for shown in shown_fields(held.form, data, held.data, life.clock.at):
            if shown.name not in data and shown.is_required:
                data[shown.name] = self.value(shown, held, matter)
        if data.get("roll_book", True) is None:
            return
        complete(life.context, actor, task_id, data, opinion="同意。")
        if "vote_ends_at" in data:
            self.plan_ballots(matter)
        life.see_new_tasks()

    def value(self, shown: Field, held: Desk, matter: Matter) -> Any:
        """A value for one field."""
        life, now = self.life, self.life.clock.at
        match shown.name:
            case "vote_rule" | "topic_title" | "vote_question" | "notice_days":
                return held.data["publish_days" if shown.name == "notice_days" else shown.name]
            case "roll_book":
                rule = rule_on(life.context.session, held.data["vote_rule"], life.context.today)
                fitting = [book for book in rolls_for(life.context, held.data) if rule and book.kind == rule.roll_kind]
                return str(max(fitting, key=lambda book: len(book.unit.path)).id) if fitting else None
            case "vote_starts_at":
                return self.starts(held).isoformat()
            case "vote_ends_at":
                return (self.starts(held) + timedelta(days=4)).isoformat()
            case "budget":
                return life.dice.choice((20_000, 56_000, 180_000))
            case "task_unit":
                return str(life.dice.choice(of_kind(life.context.session, Kind.DEPARTMENT)).id)
        if shown.widget == "photos":
            return [str(add_photo(life.context, matter, life.dice.choice(life.pictures), task_key=held.task["key"]).id)]
        if shown.widget == "datetime":
            return (now + timedelta(days=20) if shown.when == "future" else now).isoformat()
        return shown.choices[0].value if shown.choices else WORDS.get(shown.name, "已按程序办理。")

    def starts(self, held: Desk) -> Any:
        """As soon as the rule lets it begin, in the morning."""
        life = self.life
        rule = rule_on(life.context.session, held.data["vote_rule"], life.context.today)
        notice = rule.notice_days if rule else 0
        return life.clock.at + (first_day(life.context.today, notice) - life.context.today)

    def plan_ballots(self, matter: Matter) -> None:
        """Most of the roll votes, over the days that the vote is open."""
        life = self.life
        vote = life.context.session.scalars(select(Vote).where(Vote.matter_id == matter.id).order_by(Vote.id.desc())).first()
        if vote is None or matter.stage not in (Stage.REVIEW, Stage.RESOLUTION):
            return
        for number in life.context.session.scalars(select(RollEntry.number).where(RollEntry.vote_id == vote.id)):
            if life.dice.random() < KEEN:
                at = vote.starts_at + (vote.ends_at - vote.starts_at) * (0.05 + 0.9 * life.dice.random())
                life.plan(at, lambda vote=vote, number=number: self.cast(vote, number))  # type: ignore[misc]

    def cast(self, vote: Vote, number: int) -> None:
        context = self.life.context
        choice = "yes" if self.life.dice.random() < AGREEING else self.life.dice.choice(("no", "abstain"))
        cast_by_code(context, voting_code(context.sealer, vote.id, number), choice)
