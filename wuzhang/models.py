"""Every table there is, and every answer that subjects give to processes: importing this module fills both."""

from governance.base import Base
from governance.calendar import models as calendar
from governance.cases import models as cases
from governance.copies import models as copies
from governance.deliberation import process as deliberation
from governance.files import models as files
from governance.identity import models as identity
from governance.matters import models as matters
from governance.meetings import models as meetings
from governance.organisation import models as organisation
from governance.people import models as people
from governance.rolls import models as rolls
from governance.starting import commands as starting
from governance.studio import models as studio
from governance.studio import process as process_change
from governance.voting import models as voting
from governance.workflow import models as workflow

SUBJECTS = (
    calendar,
    cases,
    copies,
    deliberation,
    files,
    identity,
    matters,
    meetings,
    organisation,
    people,
    process_change,
    rolls,
    starting,
    studio,
    voting,
    workflow,
)
metadata = Base.metadata
