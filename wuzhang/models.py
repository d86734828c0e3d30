"""Every table there is: importing this module fills the metadata."""

from governance.base import Base
from governance.calendar import models as calendar
from governance.cases import models as cases
from governance.identity import models as identity
from governance.meetings import models as meetings
from governance.organisation import models as organisation
from governance.people import models as people
from governance.workflow import models as workflow

SUBJECTS = (calendar, cases, identity, meetings, organisation, people, workflow)
metadata = Base.metadata
