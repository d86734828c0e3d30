"""What goes wrong in the database is told without what people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from api.work import db
from tests.district import District


def test_an_error_names_no_parameters(database: Engine) -> None:
    with pytest.raises(SQLAlchemyError) as raised, database.connect() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "不公开"})
    assert "不公开" not in str(raised.value)


def test_nor_does_one_on_a_page(tmp_path: Path) -> None:
    district = District(tmp_path)
    with district.app().app_context(), pytest.raises(SQLAlchemyError) as raised:
        db.session.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "不公开"})
    assert "不公开" not in str(raised.value)
    district.close()
