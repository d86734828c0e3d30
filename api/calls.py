"""One call, declared in one place: its address, who may call, what it reads, what it answers, why it may refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import marshmallow as ma
from flask import Request, Response, request
from flask_smorest import Api, Blueprint  # type: ignore[import-untyped]
from sqlalchemy.exc import IntegrityError, OperationalError
from webargs.flaskparser import FlaskParser, is_json_request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from api import errors
from api.bearer import demand, identify
from api.fields import ID, Body, IdConverter, Text
from api.schemas.problems import Problem
from engine.errors import EngineError
from governance.calendar.errors import CalendarError
from governance.errors import GovernanceError

View = TypeVar("View", bound=Callable[..., Any])
URL = "/api/v1"
LARGEST_BODY = 256_000
BEARER, OPEN, EITHER = "bearer", "open", "either"
"""A token is demanded; none is looked at; one may be shown."""
SECURITY: dict[str, list[dict[str, list[str]]]] = {BEARER: [{"bearer": []}], OPEN: [], EITHER: [{}, {"bearer": []}]}


class Reader(FlaskParser):
    """Reads requests: strict JSON, and no parameter that the call does not know."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": ma.RAISE}

    def _raw_load_json(self, req: Request) -> Any:
        if not is_json_request(req):
            raise UnsupportedMediaType
        sent = req.get_data()
        if len(sent) >= (req.max_content_length or LARGEST_BODY):  # what comes in chunks is cut off there without a word
            raise RequestEntityTooLarge
        try:
            return json.loads(sent)
        except (ValueError, RecursionError) as error:
            raise BadRequest from error


class IdempotencyKey(ma.Schema):
    """Says that a request is the same as one before."""

    key = Text(80, shortest=1, data_key="Idempotency-Key", metadata={"pattern": "^[ -~]{1,80}$"})

    @ma.validates("key")
    def _printable(self, value: str, **_: Any) -> None:
        if not (value.isascii() and value.isprintable()):
            raise ma.ValidationError("只能是可打印的 ASCII 字符")


@dataclass(frozen=True)
class Entry:
    """Who may make a call."""

    token: str
    posts: tuple[str, ...]
    largest: int


class Calls(Blueprint):  # type: ignore[misc]
    """The calls of a subject."""

    ARGUMENTS_PARSER = Reader()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, url_prefix=URL, description=description)
        self.entries: dict[str, Entry] = {}
        self.before_request(self._enter)
        self.after_request(_private)
        for kind in (GovernanceError, EngineError, CalendarError):
            self.register_error_handler(kind, errors.named)
        self.register_error_handler(HTTPException, errors.http)
        self.register_error_handler(IntegrityError, errors.crossed)
        self.register_error_handler(OperationalError, errors.busy)

    def call(
        self,
        method: str,
        path: str,
        answer: type[ma.Schema],
        *,
        status: int = 200,
        body: type[Body] | None = None,
        query: type[ma.Schema] | None = None,
        keyed: bool = False,
        token: str = BEARER,
        posts: tuple[str, ...] = (),
        refuses: Sequence[int] = (),
        matched: bool = False,
        tagged: bool = False,
        largest: int = LARGEST_BODY,
        leads: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Callable[[View], View]:
        """Makes a function a call. It is given what `body`, `query` and the idempotency key read, then the ids of the path.

        `leads` says which calls take what it answers: `{"tasks.show": {"task_id": "$response.body#/id"}}`.
        """

        def declare(view: View) -> View:
            self.entries[view.__name__] = Entry(token, posts, largest)
            made = self.response(
                status, answer, content_type="application/json", headers={"ETag": {"schema": {"type": "string"}}} if tagged else None
            )(view)
            for schema, location in ((IdempotencyKey if keyed else None, "headers"), (query, "query"), (body, "json")):
                if schema:
                    made = self.arguments(schema, location=location)(made)
            refused = [*refuses, *([401] if token != OPEN else []), *([403] if posts else []), *([412, 428] if matched else [])]
            for code in refused:
                made = self.alt_response(code, HTTPStatus(code).name)(made)
            if matched:
                made = self.doc(parameters=["IF_MATCH"])(made)
            if leads:
                links = {name: {"operationId": name, "parameters": dict(given)} for name, given in leads.items()}
                made = self.doc(responses={str(status): {"links": links}})(made)
            self.route(path, methods=[method])(self.doc(security=SECURITY[token], operationId=f"{self.name}.{view.__name__}")(made))
            return view

        return declare

    def _enter(self) -> None:
        entry = self.entries[(request.endpoint or "").rpartition(".")[2]]
        request.max_content_length = entry.largest
        if request.method == "OPTIONS" or entry.token == OPEN or (entry.token == EITHER and "Authorization" not in request.headers):
            return
        identify()
        demand(entry.posts)


class Description(Api):  # type: ignore[misc]
    """The interface as OpenAPI describes it."""

    ERROR_SCHEMA = Problem
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"

    def _register_error_handlers(self) -> None:
        """Calls handle their own errors; the pages' are none of ours."""

    def __init__(self, app: Any) -> None:
        app.config["OPENAPI_URL_PREFIX"] = URL
        app.url_map.converters["id"] = IdConverter
        super().__init__(app, spec_kwargs={"title": "五长智治", "version": "1", "openapi_version": "3.1.0"})
        self.register_converter(IdConverter, lambda _: {"type": "string", "pattern": f"^{ID}$"})
        self.spec.components.security_scheme(BEARER, {"type": "http", "scheme": "bearer"})


def _private(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return response
