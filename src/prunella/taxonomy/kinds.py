"""What a failure is called at a site of a kind: a timeout of a tool is the tool's timeout."""

from collections.abc import Mapping

from prunella.taxonomy.codes import CODES

_TIMEOUTS = (
    "NET.CONNECTION.TIMEOUT",
    "NET.READ.TIMEOUT",
    "NET.WRITE.TIMEOUT",
    "NET.IO.TIMEOUT",
    "NET.POOL.TIMEOUT",
    "HTTP.REQUEST.TIMEOUT",
    "HTTP.SERVER.GATEWAY_TIMEOUT",
    "SYS.TIME.DEADLINE",
)
_UNREACHABLE = tuple(
    code
    for code, row in CODES.items()
    if row.module == "NET" and row.transient and code not in _TIMEOUTS
)

#: Kind of site (`prunella.model.records.SiteKind`) to what its codes become; a code that isn't there stays as it is.
BY_KIND: Mapping[str, Mapping[str, str]] = {
    "tool": {
        **dict.fromkeys((*_TIMEOUTS, "SYS.PROCESS.TIMEOUT"), "TOOL.EXECUTION.TIMEOUT"),
        **dict.fromkeys(_UNREACHABLE, "TOOL.EXECUTION.UNAVAILABLE"),
        "HTTP.SERVER.ERROR": "TOOL.EXECUTION.UNAVAILABLE",
        "HTTP.SERVER.BAD_GATEWAY": "TOOL.EXECUTION.UNAVAILABLE",
        "HTTP.SERVER.UNAVAILABLE": "TOOL.EXECUTION.UNAVAILABLE",
        "HTTP.LIMIT.RATE": "TOOL.EXECUTION.RATE_LIMITED",
        "HTTP.AUTH.UNAUTHORIZED": "TOOL.ACCESS.DENIED",
        "HTTP.AUTH.FORBIDDEN": "TOOL.ACCESS.DENIED",
        "SYS.PROCESS.FAILED": "TOOL.EXECUTION.FAILED",
        "CODE.TYPE.ARGUMENTS": "TOOL.INPUT.INVALID",
    },
    "llm": {
        **dict.fromkeys(_TIMEOUTS, "LLM.CALL.TIMEOUT"),
        **dict.fromkeys(_UNREACHABLE, "LLM.CALL.CONNECTION"),
        "NET.PROTOCOL.INCOMPLETE": "LLM.STREAM.INTERRUPTED",
        "HTTP.REQUEST.BAD": "LLM.CALL.REJECTED",
        "HTTP.REQUEST.UNPROCESSABLE": "LLM.CALL.REJECTED",
        "HTTP.REQUEST.REJECTED": "LLM.CALL.REJECTED",
        "HTTP.AUTH.UNAUTHORIZED": "LLM.ACCESS.KEY",
        "HTTP.AUTH.FORBIDDEN": "LLM.ACCESS.FORBIDDEN",
        "HTTP.RESOURCE.NOT_FOUND": "LLM.MODEL.NOT_FOUND",
        "HTTP.LIMIT.RATE": "LLM.LIMIT.RATE",
        "HTTP.SERVER.ERROR": "LLM.CALL.SERVER_ERROR",
        "HTTP.SERVER.BAD_GATEWAY": "LLM.CALL.SERVER_ERROR",
        "HTTP.SERVER.UNAVAILABLE": "LLM.CALL.OVERLOADED",
    },
    "agent": {
        **dict.fromkeys(_TIMEOUTS, "AGENT.RUN.TIMEOUT"),
        "CODE.LOGIC.RECURSION": "AGENT.LOOP.RUNAWAY",
    },
}
