"""公示 as PDF: what is posted of a resolution, and of what came of it."""

from __future__ import annotations

from flask import Response, url_for

from api.work import context
from governance.matters.models import Matter, PublicNotice
from governance.matters.queries import RESOLUTION
from governance.organisation.queries import full_name, upwards
from web.format import day_in_words
from web.posters import Poster, drawn
from web.qr import base


def printed(matter: Matter, posted: PublicNotice) -> Response:
    """A notice as PDF."""
    response = Response(drawn(_poster(matter, posted)), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename={matter.number}.pdf"
    return response


def _poster(matter: Matter, posted: PublicNotice) -> Poster:
    """What is posted is in Chinese, whatever the language of who prints it."""
    until, since = day_in_words(posted.ends_at), day_in_words(posted.posted_at)
    where = full_name(upwards(context().session, matter.unit))
    named, link = f"《{matter.title}》（编号 {matter.number}）", base() + url_for("deliberation.show", reference=matter.number)
    lines = [line.strip() for line in posted.text.splitlines() if line.strip()]
    term = f"自 {since} 起至 {until} 止（张贴当日不计入，期限最后一日为休息日的顺延）。"
    if posted.kind != RESOLUTION:
        opening = f"{named}的决议已经落实，现将结果公开如下："
        said = (opening, *lines, f"评价期{term}", "办得怎么样，请在评价期内扫描下方二维码评价。")
        return Poster("结果公开", said, (where, since), link, "扫码查看全文、评价结果")
    opening = f"{named}已按“四事五议”程序形成决议，现将决议内容公示如下："
    ways = "对决议有异议的，请在公示期内扫描下方二维码提出，也可以向张贴单位书面提出。异议在三日内答复。"
    return Poster("公　示", (opening, *lines, f"公示期{term}", ways), (where, since), link, "扫码查看全文、提出异议")
