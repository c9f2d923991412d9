"""The REST API: what the commands can do, for programs.

One table, `prunella.server.api.table`, says every operation: its path, role, parameters, body and
answer. The routes, the OpenAPI description, the reference page and the tests of who may do what are
all made from it.
"""

from prunella.server.api.routes import perform, routes

__all__ = ["perform", "routes"]
