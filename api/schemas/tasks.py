"""Tasks."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf

from api.fields import Answer, Body, ContentSent, Flag, Id, Moment, PictureSent, Position, Text, Values
from api.schemas.cases import PlaceOfCase
from governance.errors import Refused
from governance.files.rules import READERS
from governance.workflow.commands import OPINION
from governance.workflow.copying import MOST
from governance.workflow.copying import WORDS as COPYING
from governance.workflow.rules import REASON
from governance.workflow.urging import WORDS as URGING

BOXES = ("todo", "done", "started", "copied")


class Inbox(Body):
    """Which box, and which of its rows. `after` is what the page before gave."""

    box = fields.String(load_default="todo", validate=OneOf(BOXES, error="没有这个信箱"))
    after = Position()
    q = Text(60, load_default="")
    overdue = Flag(worded=True, load_default=False)

    @validates_schema
    def _after_in_this_box(self, asked: dict[str, Any], **_: Any) -> None:
        if "after" in asked and ("~" in asked["after"]) is (asked["box"] == "started"):
            raise ValidationError("不是上一页给出的位置", "after")


class Limit(Answer):
    """So much of a unit."""

    amount = fields.String()
    unit = fields.String()


class CaseOfTask(Answer):
    """The case in a row of the inbox."""

    id = Id()
    number = fields.String()
    title = fields.String()
    status = fields.String()
    priority = fields.String(allow_none=True)
    place = fields.String()


class Subject(Answer):
    """What a task is about; a process that is neither about a case nor a matter has no id of its own."""

    kind = fields.String(validate=OneOf(("case", "matter", "process")))
    id = Id(allow_none=True)
    number = fields.String()
    title = fields.String()
    status = fields.String()
    place = fields.String()


class Urged(Answer):
    """How often a task was urged, when last, and by whom, the last first."""

    times = fields.Integer()
    last_at = Moment()
    by = fields.List(fields.String())


class CopiedLine(Answer):
    """By whom a row of the box `copied` was copied, when, and when it was read first."""

    by = fields.String()
    at = Moment()
    read_at = Moment(allow_none=True)


class TaskLine(Answer):
    """A row of the inbox; in the box `started` it is a case, and what belongs to a task is null. `case` is null when `about` is not one."""

    id = Id(allow_none=True)
    key = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    opened_at = Moment()
    due_at = Moment(allow_none=True)
    limit = fields.Nested(Limit, allow_none=True)
    claimed_by = Id(allow_none=True)
    closed_at = Moment(allow_none=True)
    about = fields.Nested(Subject)
    case = fields.Nested(CaseOfTask, allow_none=True)
    urged = fields.Nested(Urged, allow_none=True)
    copied = fields.Nested(CopiedLine, allow_none=True)


class TaskPage(Answer):
    """Rows, and what to send as `after` to see the next; null on the last page."""

    items = fields.List(fields.Nested(TaskLine))
    after = fields.String(allow_none=True)


class Candidate(Answer):
    """Whom a task is addressed to."""

    principal = fields.String()
    name = fields.String()


class Why(Answer):
    """Why a task is here: how its post was found, and its limit."""

    steps = fields.List(fields.String())
    limit = fields.Nested(Limit, allow_none=True)


class Outcome(Answer):
    """A button of the form."""

    value = fields.String()
    title = fields.String()


class CaseOnDesk(Answer):
    """The case a task belongs to."""

    id = Id()
    number = fields.String()
    title = fields.String()
    text = fields.String()
    category = fields.String(allow_none=True)
    priority = fields.String(allow_none=True)
    status = fields.String()
    place = fields.Nested(PlaceOfCase)
    address = fields.String()
    reported_at = Moment()
    due_at = Moment(allow_none=True)


class FileNamed(Answer):
    """A file, as a form names it."""

    value = fields.String()
    name = fields.String()
    size = fields.Integer()


class FileOfTask(FileNamed):
    """A file that the facts name, and where whoever may read them has it."""

    url = fields.String()


class TaskShown(Answer):
    """A task with what is needed to do it. `facts` is what the form's conditions read besides the form itself."""

    id = Id()
    key = fields.String()
    element = fields.String()
    name = fields.String()
    instance_id = Id()
    opened_at = Moment()
    due_at = Moment(allow_none=True)
    claimed_by = Id(allow_none=True)
    claimed_at = Moment(allow_none=True)
    closed_by = Id(allow_none=True)
    closed_at = Moment(allow_none=True)
    closed_as = fields.String(allow_none=True)
    case = fields.Nested(CaseOnDesk, allow_none=True)
    form = fields.Dict(keys=fields.String())
    facts = fields.Dict(keys=fields.String())
    files = fields.List(fields.Nested(FileOfTask))
    outcome_field = fields.String(allow_none=True)
    outcomes = fields.List(fields.Nested(Outcome))
    actions = fields.List(fields.String(validate=OneOf(("claim", "release", "complete", "foresee", "transfer", "copy", "urge"))))
    urged = fields.Nested(Urged, allow_none=True)
    why = fields.Nested(Why)
    candidates = fields.List(fields.Nested(Candidate))


class Handed(Body):
    """To whom, and why."""

    person = Id(required=True)
    reason = Text(REASON, shortest=1, required=True)


class TakenBack(Body):
    """Why a finished task is taken back."""

    reason = Text(REASON, shortest=1, required=True)


class Sought(Body):
    """For which field of a task's form, and the words that mean a name, a unit or a post."""

    field = Text(100, load_default="")
    q = Text(60, load_default="")


class Colleague(Answer):
    """Somebody who may be handed a task, or named in its form."""

    person = Id()
    name = fields.String()
    post = fields.String()


class Colleagues(Answer):
    """Who may be handed a task, or named in its form."""

    items = fields.List(fields.Nested(Colleague))


class Urging(Body):
    """What is said beside it, if anything."""

    words = Text(URGING, load_default="")


class Copying(Body):
    """To whom, and what is said beside it."""

    people = fields.List(Id(), required=True, validate=Length(1, MOST, error=f"应为 1 至 {MOST} 人"))
    words = Text(COPYING, load_default="")


class Words(Body):
    """The words that mean a name, a unit or a post."""

    q = Text(60, load_default="")


class Recipient(Answer):
    """Whom something was copied to, and when they read it first."""

    person = Id()
    name = fields.String()
    read_at = Moment(allow_none=True)


class Copy(Answer):
    """One act of copying."""

    by = fields.String()
    at = Moment()
    words = fields.String()
    recipients = fields.List(fields.Nested(Recipient))


class Copies(Answer):
    """What was copied of the process that a task belongs to, the first first."""

    items = fields.List(fields.Nested(Copy))


class NewPhoto(Body):
    """A photo for a form; its id is what the form then names."""

    picture = PictureSent(required=True)


class PhotoAdded(Answer):
    """A photo that was taken in."""

    id = Id()
    width = fields.Integer()
    height = fields.Integer()


class NewFile(Body):
    """A file for a field of a form, read as the field's widget says; `value` of the answer is what the form then names."""

    widget = fields.String(load_default="attachments", validate=OneOf(tuple(READERS), error="没有这种文件项"))
    name = Text(200, shortest=1, required=True)
    content = ContentSent(required=True)

    @post_load
    def _read(self, sent: dict[str, Any], **_: Any) -> dict[str, Any]:
        try:
            return {"file": READERS[sent["widget"]](sent["name"], sent["content"])}
        except Refused as refused:
            raise ValidationError(str(refused), "content") from refused


class Filled(Body):
    """What the form is filled in with."""

    data = Values(keys=fields.String(), required=True)


class Completion(Filled):
    """What the form is filled in with, and the opinion beside it."""

    opinion = Text(OPINION, load_default="")


class OpenedTask(Answer):
    """A task that opened."""

    id = Id()
    key = fields.String()
    name = fields.String()


class Halt(Answer):
    """Where the diagram could not go on; an administrator sees to it, nothing needs to be sent again."""

    element = fields.String()
    message = fields.String()


class Advanced(Answer):
    """What a completion changed; `repeated` says that it had been carried out before."""

    instance_id = Id()
    seq = fields.Integer()
    status = fields.String()
    repeated = fields.Boolean()
    opened = fields.List(fields.Nested(OpenedTask))
    stopped = fields.Nested(Halt, allow_none=True)


class NextTask(Answer):
    """A task that would open, and with whom."""

    key = fields.String()
    name = fields.String()
    due_at = Moment(allow_none=True)
    candidates = fields.List(fields.Nested(Candidate))


class Foreseen(Answer):
    """What a completion would bring."""

    next = fields.List(fields.Nested(NextTask))
    finished = fields.Boolean()
