"""What numbers and codes of protocols mean: HTTP statuses, SQLSTATEs, errnos, services' own codes."""

import errno
from collections.abc import Mapping
from functools import cache

HTTP_STATUSES: Mapping[int, str] = {
    400: "HTTP.REQUEST.BAD",
    401: "HTTP.AUTH.UNAUTHORIZED",
    403: "HTTP.AUTH.FORBIDDEN",
    404: "HTTP.RESOURCE.NOT_FOUND",
    407: "NET.PROXY.FAILED",
    408: "HTTP.REQUEST.TIMEOUT",
    409: "HTTP.RESOURCE.CONFLICT",
    410: "HTTP.RESOURCE.NOT_FOUND",
    412: "HTTP.RESOURCE.CONFLICT",
    413: "HTTP.REQUEST.TOO_LARGE",
    414: "HTTP.REQUEST.TOO_LARGE",
    422: "HTTP.REQUEST.UNPROCESSABLE",
    423: "HTTP.RESOURCE.LOCKED",
    425: "HTTP.RESOURCE.LOCKED",
    429: "HTTP.LIMIT.RATE",
    431: "HTTP.REQUEST.TOO_LARGE",
    501: "HTTP.SERVER.NOT_IMPLEMENTED",
    502: "HTTP.SERVER.BAD_GATEWAY",
    503: "HTTP.SERVER.UNAVAILABLE",
    504: "HTTP.SERVER.GATEWAY_TIMEOUT",
    505: "HTTP.SERVER.NOT_IMPLEMENTED",
    529: "HTTP.SERVER.UNAVAILABLE",
}

#: The same for the clients of language models.
LLM_STATUSES: Mapping[int, str] = {
    401: "LLM.ACCESS.KEY",
    402: "LLM.LIMIT.QUOTA",
    403: "LLM.ACCESS.FORBIDDEN",
    404: "LLM.MODEL.NOT_FOUND",
    408: "LLM.CALL.TIMEOUT",
    409: "HTTP.RESOURCE.CONFLICT",
    413: "HTTP.REQUEST.TOO_LARGE",
    429: "LLM.LIMIT.RATE",
    503: "LLM.CALL.OVERLOADED",
    504: "LLM.CALL.TIMEOUT",
    529: "LLM.CALL.OVERLOADED",
}

#: What providers of language models call their errors. What is told too broadly
#: (``invalid_request_error``) isn't here: its message or status decides.
LLM_CODES: Mapping[str, str] = {
    "authentication_error": "LLM.ACCESS.KEY",
    "billing_error": "LLM.LIMIT.QUOTA",
    "content_filter": "LLM.CONTENT.FILTERED",
    "content_policy_violation": "LLM.CONTENT.FILTERED",
    "context_length_exceeded": "LLM.LIMIT.CONTEXT",
    "insufficient_quota": "LLM.LIMIT.QUOTA",
    "invalid_api_key": "LLM.ACCESS.KEY",
    "invalid_prompt": "LLM.CONTENT.FILTERED",
    "model_not_found": "LLM.MODEL.NOT_FOUND",
    "overloaded_error": "LLM.CALL.OVERLOADED",
    "permission_error": "LLM.ACCESS.FORBIDDEN",
    "rate_limit_error": "LLM.LIMIT.RATE",
    "rate_limit_exceeded": "LLM.LIMIT.RATE",
    "request_too_large": "HTTP.REQUEST.TOO_LARGE",
    "string_above_max_length": "LLM.LIMIT.CONTEXT",
    "timeout_error": "LLM.CALL.TIMEOUT",
    "unknown_parameter": "LLM.PARAMETER.INVALID",
    "unsupported_parameter": "LLM.PARAMETER.INVALID",
    "unsupported_value": "LLM.PARAMETER.INVALID",
    "api_error": "LLM.CALL.SERVER_ERROR",
    "server_error": "LLM.CALL.SERVER_ERROR",
}

#: What Amazon's services call their errors.
AWS_CODES: Mapping[str, str] = {
    "accessdenied": "HTTP.AUTH.FORBIDDEN",
    "accessdeniedexception": "HTTP.AUTH.FORBIDDEN",
    "bandwidthlimitexceeded": "HTTP.LIMIT.RATE",
    "conditionalcheckfailedexception": "HTTP.RESOURCE.CONFLICT",
    "expiredtoken": "HTTP.AUTH.UNAUTHORIZED",
    "expiredtokenexception": "HTTP.AUTH.UNAUTHORIZED",
    "internalerror": "HTTP.SERVER.ERROR",
    "internalfailure": "HTTP.SERVER.ERROR",
    "internalservererror": "HTTP.SERVER.ERROR",
    "invalidaccesskeyid": "HTTP.AUTH.UNAUTHORIZED",
    "invalidclienttokenid": "HTTP.AUTH.UNAUTHORIZED",
    "limitexceededexception": "HTTP.LIMIT.RATE",
    "modelnotreadyexception": "LLM.CALL.OVERLOADED",
    "modelstreamerrorexception": "LLM.STREAM.INTERRUPTED",
    "modeltimeoutexception": "LLM.CALL.TIMEOUT",
    "nosuchbucket": "HTTP.RESOURCE.NOT_FOUND",
    "nosuchkey": "HTTP.RESOURCE.NOT_FOUND",
    "prioritylimitexceeded": "HTTP.LIMIT.RATE",
    "provisionedthroughputexceededexception": "HTTP.LIMIT.RATE",
    "requestlimitexceeded": "HTTP.LIMIT.RATE",
    "requestthrottled": "HTTP.LIMIT.RATE",
    "requestthrottledexception": "HTTP.LIMIT.RATE",
    "requesttimeout": "HTTP.REQUEST.TIMEOUT",
    "requesttimeoutexception": "HTTP.REQUEST.TIMEOUT",
    "resourceinuseexception": "HTTP.RESOURCE.CONFLICT",
    "resourcenotfoundexception": "HTTP.RESOURCE.NOT_FOUND",
    "serviceunavailable": "HTTP.SERVER.UNAVAILABLE",
    "serviceunavailableexception": "HTTP.SERVER.UNAVAILABLE",
    "signaturedoesnotmatch": "HTTP.AUTH.UNAUTHORIZED",
    "slowdown": "HTTP.LIMIT.RATE",
    "throttledexception": "HTTP.LIMIT.RATE",
    "throttling": "HTTP.LIMIT.RATE",
    "throttlingexception": "HTTP.LIMIT.RATE",
    "toomanyrequestsexception": "HTTP.LIMIT.RATE",
    "transactionconflictexception": "DB.TRANSACTION.CONFLICT",
    "transactioninprogressexception": "DB.TRANSACTION.LOCKED",
    "unauthorizedoperation": "HTTP.AUTH.FORBIDDEN",
    "unrecognizedclientexception": "HTTP.AUTH.UNAUTHORIZED",
    "validationexception": "HTTP.REQUEST.BAD",
}

#: Five characters, or the class: their first two.
SQLSTATES: Mapping[str, str] = {
    "02": "DB.RESULT.NONE",
    "08": "DB.CONNECTION.FAILED",
    "08003": "DB.CONNECTION.LOST",
    "08006": "DB.CONNECTION.LOST",
    "08P01": "DB.SERVER.ERROR",
    "0A": "DB.QUERY.INVALID",
    "21": "DB.QUERY.INVALID",
    "22": "DB.DATA.INVALID",
    "23": "DB.INTEGRITY.VIOLATED",
    "23502": "DB.INTEGRITY.NOT_NULL",
    "23503": "DB.INTEGRITY.FOREIGN_KEY",
    "23505": "DB.INTEGRITY.UNIQUE",
    "23514": "DB.INTEGRITY.CHECK",
    "25": "DB.TRANSACTION.STATE",
    "25006": "DB.SERVER.READ_ONLY",
    "25P03": "DB.CONNECTION.LOST",
    "28": "DB.ACCESS.DENIED",
    "2B": "DB.INTEGRITY.FOREIGN_KEY",
    "2D": "DB.TRANSACTION.STATE",
    "34": "DB.QUERY.INVALID",
    "3B": "DB.TRANSACTION.STATE",
    "3D": "DB.SCHEMA.MISSING",
    "3F": "DB.SCHEMA.MISSING",
    "40": "DB.TRANSACTION.CONFLICT",
    "40P01": "DB.TRANSACTION.DEADLOCK",
    "42": "DB.QUERY.INVALID",
    "42501": "DB.ACCESS.DENIED",
    "42601": "DB.QUERY.SYNTAX",
    "42602": "DB.QUERY.SYNTAX",
    "42622": "DB.QUERY.SYNTAX",
    "42701": "DB.SCHEMA.EXISTS",
    "42703": "DB.SCHEMA.MISSING",
    "42704": "DB.SCHEMA.MISSING",
    "42710": "DB.SCHEMA.EXISTS",
    "42723": "DB.SCHEMA.EXISTS",
    "42883": "DB.SCHEMA.MISSING",
    "42P01": "DB.SCHEMA.MISSING",
    "42P04": "DB.SCHEMA.EXISTS",
    "42P06": "DB.SCHEMA.EXISTS",
    "42P07": "DB.SCHEMA.EXISTS",
    "44": "DB.INTEGRITY.CHECK",
    "53": "DB.RESOURCE.EXHAUSTED",
    "53300": "DB.CONNECTION.LIMIT",
    "54": "DB.QUERY.INVALID",
    "55": "DB.QUERY.INVALID",
    "55006": "DB.TRANSACTION.LOCKED",
    "55P03": "DB.TRANSACTION.LOCKED",
    "57": "DB.SERVER.STARTING",
    "57014": "DB.QUERY.TIMEOUT",
    "57P04": "DB.SCHEMA.MISSING",
    "57P05": "DB.CONNECTION.LOST",
    "58": "DB.SERVER.ERROR",
    "XX": "DB.SERVER.ERROR",
    "P0": "DB.QUERY.INVALID",
    "P0002": "DB.RESULT.NONE",
    "P0003": "DB.RESULT.SEVERAL",
}

#: By symbolic name, because numbers differ between systems.
_ERRNOS = {
    "EACCES": "SYS.FILE.ACCESS_DENIED",
    "EADDRINUSE": "NET.ADDRESS.UNAVAILABLE",
    "EADDRNOTAVAIL": "NET.ADDRESS.UNAVAILABLE",
    "EAGAIN": "SYS.RESOURCE.BUSY",
    "EBUSY": "SYS.RESOURCE.BUSY",
    "ECONNABORTED": "NET.CONNECTION.RESET",
    "ECONNREFUSED": "NET.CONNECTION.REFUSED",
    "ECONNRESET": "NET.CONNECTION.RESET",
    "EDQUOT": "SYS.DISK.FULL",
    "EEXIST": "SYS.FILE.EXISTS",
    "EHOSTDOWN": "NET.CONNECTION.UNREACHABLE",
    "EHOSTUNREACH": "NET.CONNECTION.UNREACHABLE",
    "EIO": "SYS.DISK.ERROR",
    "EISDIR": "SYS.FILE.WRONG_KIND",
    "EMFILE": "SYS.FILE.TOO_MANY_OPEN",
    "ENETDOWN": "NET.CONNECTION.UNREACHABLE",
    "ENETUNREACH": "NET.CONNECTION.UNREACHABLE",
    "ENFILE": "SYS.FILE.TOO_MANY_OPEN",
    "ENOENT": "SYS.FILE.NOT_FOUND",
    "ENOMEM": "SYS.MEMORY.EXHAUSTED",
    "ENOSPC": "SYS.DISK.FULL",
    "ENOTCONN": "NET.CONNECTION.CLOSED",
    "ENOTDIR": "SYS.FILE.WRONG_KIND",
    "EPERM": "SYS.FILE.ACCESS_DENIED",
    "EPIPE": "NET.CONNECTION.RESET",
    "EROFS": "SYS.FILE.ACCESS_DENIED",
    "ESHUTDOWN": "NET.CONNECTION.CLOSED",
    "ESRCH": "SYS.PROCESS.NOT_FOUND",
    "ECHILD": "SYS.PROCESS.NOT_FOUND",
    "ETIMEDOUT": "NET.CONNECTION.TIMEOUT",
    "ETXTBSY": "SYS.RESOURCE.BUSY",
}
ERRNOS: Mapping[int, str] = {
    getattr(errno, name): code for name, code in _ERRNOS.items() if hasattr(errno, name)
}


@cache
def dns_errnos() -> Mapping[int, str]:
    """Return what the name service's own numbers mean; whoever has one has loaded `socket`."""
    import socket

    return {
        getattr(socket, name): code
        for name, code in (
            ("EAI_AGAIN", "NET.DNS.TEMPORARY"),
            ("EAI_FAIL", "NET.DNS.TEMPORARY"),
            ("EAI_NONAME", "NET.DNS.NOT_FOUND"),
            ("EAI_NODATA", "NET.DNS.NOT_FOUND"),
        )
        if hasattr(socket, name)
    }
