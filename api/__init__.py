"""The JSON interface."""

from __future__ import annotations

from flask import Blueprint, Flask

from api.calls import Description
from api.errors import init_errors
from api.views.beside import calls as beside
from api.views.cases import calls as cases
from api.views.instances import calls as instances
from api.views.tasks import calls as tasks
from api.views.tokens import calls as tokens
from api.views.units import calls as units
from api.views.votes import calls as votes


def init_api(app: Flask) -> tuple[Blueprint, ...]:
    """Puts the interface into the app; gives its blueprints, which need no protection against forged forms."""
    description, subjects = Description(app), (tokens, cases, tasks, beside, instances, units, votes)
    for subject in subjects:
        description.register_blueprint(subject)
    init_errors(app)
    return subjects
