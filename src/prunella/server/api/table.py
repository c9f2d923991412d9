"""Every operation of the API."""

from prunella.server.api import credentials, fixes, incidents, jobs, people, project, records
from prunella.server.api.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *incidents.OPERATIONS,
    *jobs.OPERATIONS,
    *records.OPERATIONS,
    *fixes.OPERATIONS,
    *project.OPERATIONS,
    *people.OPERATIONS,
    *credentials.OPERATIONS,
)
