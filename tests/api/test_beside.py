"""催办 and 抄送 through the interface."""

from __future__ import annotations

from flask import Flask

from tests.api.clients import PLACE, Client, refusal, reported, signed_in, waiting
from tests.district import District
from tests.journeys.matters import acting, name
from tests.journeys.matters import reported as a_matter

STRANGER = "bumen"


def person(district: District, username: str) -> str:
    with district.office.work() as context:
        return str(acting(context, username).person_id)


def test_a_task_is_urged_once_in_four_hours(app: Flask, district: District, worker: Client, lead: Client) -> None:
    id = waiting(worker, reported(app))
    worker.done(f"/tasks/{id}/claim")
    assert lead.read(f"/tasks/{id}")["actions"] == ["urge"]
    pressed = lead.done(f"/tasks/{id}/urge", {"words": "请尽快受理。"})
    assert pressed == {"times": 1, "last_at": district.clock.at.isoformat(), "by": [name(district, "wangge")]}
    again = refusal(lead.post(f"/tasks/{id}/urge", {}), 409)
    assert again["type"] == "urn:wuzhang:problem:urged-already" and "2026-03-02 13:00以后可以再次催办" in again["detail"]
    assert worker.read(f"/tasks/{id}")["urged"] == pressed
    assert [line["urged"] for line in worker.read("/tasks")["items"] if line["id"] == id] == [pressed]
    timeline = worker.read(f"/cases/{worker.read(f'/tasks/{id}')['case']['id']}/timeline")["items"]
    assert (timeline[-1]["kind"], timeline[-1]["opinion"]) == ("urge", "请尽快受理。")


def test_whom_it_does_not_concern_urges_nothing(app: Flask, worker: Client, stranger: Client, auditor: Client) -> None:
    id = waiting(worker, reported(app))
    refusal(worker.post(f"/tasks/{id}/urge", {}), 403)
    refusal(auditor.post(f"/tasks/{id}/urge", {}), 403)
    refusal(stranger.post(f"/tasks/{id}/urge", {}), 404)
    refusal(worker.post(f"/tasks/{id}/urge", {"words": "催" * 301}), 422)


def test_a_copy_is_found_read_and_counted(app: Flask, district: District) -> None:
    matter = a_matter(district, PLACE).accepted()
    id, holder, reader = str(matter.task()), signed_in(app, district, "loudong"), signed_in(app, district, STRANGER)
    refusal(reader.get(f"/tasks/{id}"), 404)
    assert "copy" in holder.read(f"/tasks/{id}")["actions"]
    (found,) = holder.read(f"/tasks/{id}/recipients", q=name(district, STRANGER))["items"]
    assert found["person"] == person(district, STRANGER) and "分拨员" in found["post"]
    sent = holder.done(f"/tasks/{id}/copy", {"people": [found["person"]], "words": "请阅。"})["items"]
    assert [(act["words"], [one["read_at"] for one in act["recipients"]]) for act in sent] == [("请阅。", [None])]
    (line,) = reader.read("/tasks", box="copied")["items"]
    assert line["id"] == id and line["case"]["id"] == str(matter.case_id)
    assert line["copied"] == {"by": name(district, "loudong"), "at": district.clock.at.isoformat(), "read_at": None}
    shown = reader.read(f"/tasks/{id}")
    assert shown["actions"] == [] and "13800001234" not in str(shown)
    (act,) = reader.done(f"/tasks/{id}/read")["items"]
    assert [one["read_at"] for one in act["recipients"]] == [district.clock.at.isoformat()]
    assert reader.read("/tasks", box="copied")["items"][0]["copied"]["read_at"]
    for action, filled in (("claim", None), ("complete", {"data": {}}), ("urge", {}), ("copy", {"people": ["1"]})):
        refusal(reader.post(f"/tasks/{id}/{action}", filled), 403)
    assert reader.read(f"/tasks/{id}/recipients")["items"] == []


def test_what_cannot_be_copied(app: Flask, district: District, worker: Client, stranger: Client) -> None:
    matter = a_matter(district, PLACE).accepted()
    id, holder = matter.task(), signed_in(app, district, "loudong")
    for people in ([], ["x"], [1], "1", [str(n) for n in range(1, 22)], ["5"], [person(district, "loudong")]):
        refusal(holder.post(f"/tasks/{id}/copy", {"people": people}), 422)
    refusal(worker.post(f"/tasks/{id}/copy", {"people": [person(district, STRANGER)]}), 403)
    refusal(stranger.post(f"/tasks/{id}/copy", {"people": [person(district, STRANGER)]}), 404)
    refusal(worker.post(f"/tasks/{id}/read"), 404)
    refusal(worker.get("/tasks", box="copied", after="1"), 422)
