"""Pictures that phones read."""

from __future__ import annotations

import segno
from flask import Response, request

from api.work import outside


def base() -> str:
    """Where people reach us from outside."""
    return outside().public_url or request.host_url.rstrip("/")


def qr_of(path: str) -> Response:
    """The picture that leads to a page of ours."""
    picture = segno.make(base() + path, error="m").svg_inline(scale=6, border=2, dark="#000", light="#fff")
    return Response(picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1), mimetype="image/svg+xml")
