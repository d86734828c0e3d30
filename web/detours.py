"""How a rehearsed case comes to the same end on another way, in words."""

from __future__ import annotations

from collections.abc import Callable

from engine.outcomes import Outcome
from web.language import gettext as _
from web.language import listed
from web.sentences import say


def detour(outcome: Outcome, label: Callable[[str], str]) -> str:
    """The steps that fall away and those that are new, by name."""
    gone, come = (listed(say(label(element)) for element in sorted(steps)) for steps in (outcome.gone, outcome.come))
    told = [_("不再经过：%(steps)s", steps=gone)] * bool(gone) + [_("新经过：%(steps)s", steps=come)] * bool(come)
    return _("；").join(told)
