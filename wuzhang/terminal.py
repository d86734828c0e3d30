"""What the commands share: the deployment, exit codes, and how results are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from wuzhang.config import ConfigError, read_config

if TYPE_CHECKING:
    from wuzhang.office import Office

PASSED, FAILED, UNREADABLE = 0, 1, 2


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def open_office() -> Office:
    """The deployment that the environment describes; ends the command with a sentence when it cannot be used."""
    from wuzhang.office import Office

    try:
        office = Office(read_config())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    click.get_current_context().call_on_close(office.database.dispose)
    return office
