"""Problem documents, RFC 9457."""

from __future__ import annotations

import marshmallow as ma


class Problem(ma.Schema):
    """Why something was refused. `by` and `at` say who was faster, and when."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    by = ma.fields.String()
    at = ma.fields.AwareDateTime()
