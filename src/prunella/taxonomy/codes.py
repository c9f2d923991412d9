"""Every error code: one table with sentence, severity, transience and the fixes that may heal it.

A code is ``MODULE.CATEGORY.CODE``. Severity runs from 1 (expected now and then) to 5 (data or the
whole service is at stake). A *transient* failure may go away when nothing but time has passed: it
is what ``retry_on: []`` means. A release that changes what an exception is called, or what is
transient, raises `TAXONOMY_VERSION`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

#: Version of the codes and of the rules that give them.
TAXONOMY_VERSION = 1

UNCLASSIFIED = "CODE.LOGIC.UNCLASSIFIED"
CANCELLED = "SYS.CALL.CANCELLED"

#: What the modules are about, in the order of the reference page.
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "NET": "reaching another machine",
        "HTTP": "what a server answered",
        "LLM": "calls of language models",
        "OUTPUT": "data that was produced somewhere and can't be used",
        "TOOL": "tools that agents call",
        "AGENT": "an agent's own loop",
        "TEAM": "several agents together",
        "DB": "databases and key-value stores",
        "SYS": "the machine and its operating system",
        "CODE": "the program itself",
    }
)


class ErrorCode(NamedTuple):
    """One row of the taxonomy."""

    #: ``MODULE.CATEGORY.CODE``
    code: str
    sentence: str
    #: From 1 to 5.
    severity: int
    #: It may go away when nothing but time has passed.
    transient: bool
    #: Names of the fix types that can heal it, in the order in which they are worth trying.
    healable_by: tuple[str, ...]

    @property
    def module(self) -> str:
        """The first part: ``NET``."""
        return self.code.partition(".")[0]


# One line a code: name below the module, severity, ``t`` where transient, fix types by their first
# letters (R retry, F fallback, G guard, P parameter, M prompt, T tool, X routing), sentence.
_TABLE = """
NET.DNS.NOT_FOUND            3 - FX    A host's name has no address.
NET.DNS.TEMPORARY            3 t RFX   The name service gave no answer for now.
NET.CONNECTION.REFUSED       3 t RFX   Nothing listens at the address.
NET.CONNECTION.RESET         2 t RFX   The connection broke while it was used.
NET.CONNECTION.CLOSED        2 t RFX   The other side closed the connection before it had answered.
NET.CONNECTION.TIMEOUT       3 t RPFX  No connection was made in the time given.
NET.CONNECTION.UNREACHABLE   4 t RFX   There is no way to the network or host.
NET.CONNECTION.FAILED        3 t RFX   No connection could be made; why isn't told.
NET.READ.TIMEOUT             3 t RPFX  The answer did not come in the time given.
NET.WRITE.TIMEOUT            3 t RPFX  The request could not be sent in the time given.
NET.IO.TIMEOUT               3 t RPFX  A network operation took too long; which one isn't told.
NET.POOL.TIMEOUT             3 t RPF   No connection of the client's pool became free in time.
NET.TLS.CERTIFICATE          4 - F     The server's certificate can't be trusted.
NET.TLS.HANDSHAKE            3 - F     No secure connection could be agreed on.
NET.PROXY.FAILED             3 t RFX   The proxy could not be reached or refused.
NET.PROTOCOL.INCOMPLETE      2 t RF    The answer ended before it was whole.
NET.PROTOCOL.VIOLATION       3 - F     What came or was to be sent doesn't follow the protocol.
NET.ADDRESS.UNAVAILABLE      3 - -     The address is in use, or not one of this machine.
NET.URL.INVALID              2 - GP    A URL can't be used: scheme, host or port.
HTTP.REQUEST.BAD             2 - GP    400: the server doesn't understand the request.
HTTP.REQUEST.UNPROCESSABLE   2 - GP    422: the request is well-formed and says what can't be.
HTTP.REQUEST.TOO_LARGE       2 - GP    413, 414, 431: more than the server takes.
HTTP.REQUEST.TIMEOUT         2 t RP    408: the server waited too long for the request.
HTTP.REQUEST.REJECTED        2 - FG    Another status of 4xx.
HTTP.AUTH.UNAUTHORIZED       4 - F     401: the credentials are missing, wrong or expired.
HTTP.AUTH.FORBIDDEN          3 - F     403: the credentials don't allow it.
HTTP.RESOURCE.NOT_FOUND      2 - FG    404, 410: there is nothing at the address.
HTTP.RESOURCE.CONFLICT       2 - F     409, 412: the resource isn't in the state that it takes.
HTTP.RESOURCE.LOCKED         2 t RF    423, 425: the resource is busy for now.
HTTP.LIMIT.RATE              2 t RFX   429: too many requests.
HTTP.SERVER.ERROR            4 t RFX   500: the server failed.
HTTP.SERVER.NOT_IMPLEMENTED  3 - FX    501, 505: the server can't do it.
HTTP.SERVER.BAD_GATEWAY      3 t RFX   502: a gateway got no usable answer.
HTTP.SERVER.UNAVAILABLE      3 t RFX   503, 529: the server is down or overloaded.
HTTP.SERVER.GATEWAY_TIMEOUT  3 t RFX   504: a gateway waited too long.
HTTP.REDIRECT.LOOP           3 - F     The server sends the client round in circles.
HTTP.BODY.ENCODING           2 - F     The body isn't encoded as its headers say.
LLM.CALL.TIMEOUT             3 t RPFX  The model gave no answer in the time given.
LLM.CALL.CONNECTION          3 t RFX   The provider could not be reached.
LLM.CALL.SERVER_ERROR        3 t RFX   The provider failed.
LLM.CALL.OVERLOADED          3 t RFX   The provider has too much to do.
LLM.CALL.REJECTED            2 - GPX   The provider doesn't accept the request.
LLM.STREAM.INTERRUPTED       2 t RFX   The streamed answer broke off.
LLM.LIMIT.RATE               2 t RFX   Too many requests or tokens a minute.
LLM.LIMIT.QUOTA              4 - FX    The quota or the credit is used up.
LLM.LIMIT.CONTEXT            2 - PGXM  The prompt is longer than the model's context.
LLM.LIMIT.OUTPUT             2 - PMX   The answer was cut off at its length limit.
LLM.ACCESS.KEY               4 - FX    The key is missing or wrong.
LLM.ACCESS.FORBIDDEN         4 - FX    The key doesn't allow it.
LLM.MODEL.NOT_FOUND          4 - PXF   There is no such model, or not for this key.
LLM.PARAMETER.INVALID        2 - PX    The model doesn't know a parameter or its value.
LLM.CONTENT.FILTERED         2 - MFX   The provider's filter stopped the question or the answer.
LLM.ANSWER.INVALID           3 - RFX   The provider's answer isn't what its interface promises.
OUTPUT.JSON.MALFORMED        2 - RGM   Text that should be JSON isn't well-formed.
OUTPUT.JSON.TRUNCATED        2 - RPM   A JSON text ends in the middle.
OUTPUT.JSON.ABSENT           2 - RGM   Where JSON should begin there is nothing, or something else.
OUTPUT.SCHEMA.INVALID        2 - RGM   Data doesn't fit its schema, in several ways or an own one.
OUTPUT.SCHEMA.MISSING_FIELD  2 - RGM   A required field is missing.
OUTPUT.SCHEMA.WRONG_TYPE     2 - GRM   A field has another type than its schema says.
OUTPUT.SCHEMA.OUT_OF_RANGE   2 - GRM   A field's value is outside what its schema allows.
OUTPUT.TEXT.ENCODING         2 - FG    Bytes are no text in the encoding that was assumed.
OUTPUT.MARKUP.MALFORMED      2 - RFG   XML or HTML that can't be parsed.
OUTPUT.DATA.MALFORMED        2 - FG    A file or message isn't in its format.
OUTPUT.GUARD.REJECTED        2 - RFM   A guard refused an input or a result.
TOOL.EXECUTION.TIMEOUT       3 t RPFT  The tool took longer than it was given.
TOOL.EXECUTION.UNAVAILABLE   3 t RFX   What the tool needs can't be reached.
TOOL.EXECUTION.RATE_LIMITED  2 t RFX   The tool's service takes no more requests for now.
TOOL.EXECUTION.FAILED        3 - FT    The tool ran and failed.
TOOL.INPUT.INVALID           2 - TGP   The tool was called with arguments that it can't use.
TOOL.ACCESS.DENIED           3 - F     The tool isn't allowed to do it.
TOOL.RESULT.INVALID          2 - TRG   The tool's result isn't in the form it should have.
TOOL.RESULT.TOO_LARGE        2 - TG    The tool's result is larger than the agent can take.
TOOL.REGISTRY.UNKNOWN        3 - XFM   There is no tool of that name.
AGENT.RUN.TIMEOUT            3 t RPF   The agent didn't finish in the time given.
AGENT.LOOP.RUNAWAY           4 - PMX   The agent did not come to an end: too many steps or turns.
AGENT.BUDGET.EXCEEDED        3 - PX    The agent used up its tokens, requests or money.
AGENT.STEP.REPEATED          3 - PM    A step was tried as often as it may be, and never worked.
AGENT.OUTPUT.UNUSABLE        3 - RMX   The agent's model behaves in no way that can be worked with.
TEAM.HANDOFF.FAILED          3 - FX    One agent could not hand over to another.
TEAM.HANDOFF.LOOP            4 - X     Agents hand the work round in circles.
TEAM.MEMBER.TIMEOUT          3 t RFX   An agent of the team didn't answer in time.
TEAM.MEMBER.UNAVAILABLE      3 t RFX   An agent of the team can't be reached.
DB.CONNECTION.FAILED         4 t RF    No connection to the database could be made.
DB.CONNECTION.LOST           3 t RF    The connection to the database broke.
DB.CONNECTION.TIMEOUT        4 t RPF   The database did not answer in the time given.
DB.CONNECTION.LIMIT          4 t RF    The database or the pool has no connection left.
DB.ACCESS.DENIED             4 - -     The database refuses the user, or what the user wants to do.
DB.QUERY.TIMEOUT             3 t RPF   The query took longer than it may, or was called off.
DB.QUERY.SYNTAX              3 - -     The query's text isn't the database's language.
DB.QUERY.INVALID             3 - -     The query can't be run as it was called.
DB.SCHEMA.MISSING            4 - -     A table, column, function or database isn't there.
DB.SCHEMA.EXISTS             2 - -     What was to be made is there already.
DB.TRANSACTION.DEADLOCK      2 t R     Two transactions waited for one another.
DB.TRANSACTION.CONFLICT      2 t R     Another transaction changed the same data.
DB.TRANSACTION.LOCKED        2 t R     Another transaction holds the lock.
DB.TRANSACTION.STATE         3 - -     The transaction has failed, is over, or was never begun.
DB.INTEGRITY.UNIQUE          2 - FG    A row with that key is there already.
DB.INTEGRITY.FOREIGN_KEY     3 - G     What a row refers to isn't there, or is still referred to.
DB.INTEGRITY.NOT_NULL        3 - GP    A required column has no value.
DB.INTEGRITY.CHECK           3 - GP    A value breaks a condition of the table.
DB.INTEGRITY.VIOLATED        3 - G     Another rule of the data is broken.
DB.DATA.INVALID              3 - GP    A value doesn't fit its column or operation.
DB.RESULT.NONE               2 - FG    One row was asked for, and there is none.
DB.RESULT.SEVERAL            3 - -     One row was asked for, and there are several.
DB.RESOURCE.EXHAUSTED        5 - F     The database has no room or memory left.
DB.SERVER.STARTING           3 t RF    The database starts, stops or fails over.
DB.SERVER.READ_ONLY          4 - FX    The database takes no changes.
DB.SERVER.ERROR              5 - F     The database failed inside, or its files are damaged.
SYS.FILE.NOT_FOUND           3 - FG    There is no such file or folder.
SYS.FILE.EXISTS              2 - -     The file or folder is there already.
SYS.FILE.ACCESS_DENIED       3 - -     The operating system doesn't permit it.
SYS.FILE.WRONG_KIND          3 - G     A folder where a file should be, or the other way round.
SYS.FILE.TOO_MANY_OPEN       4 t R     Too many open files.
SYS.DISK.FULL                5 - -     There is no room left, or the quota is used up.
SYS.DISK.ERROR               5 - F     A device failed.
SYS.MEMORY.EXHAUSTED         5 - GP    There isn't enough memory.
SYS.PROCESS.FAILED           3 - F     Another program ended with an error.
SYS.PROCESS.TIMEOUT          3 t RPF   Another program didn't end in the time given.
SYS.PROCESS.NOT_FOUND        3 - -     There is no such process.
SYS.PROCESS.LOST             4 t RF    A worker process died.
SYS.TIME.DEADLINE            3 t RPF   An operation took longer than the time it was given.
SYS.RESOURCE.BUSY            2 t R     A resource is in use, or would have to be waited for.
SYS.CONFIG.MISSING           4 - -     A setting, a region or credentials aren't there.
SYS.CALL.CANCELLED           1 - -     Somebody called it off. Never healed.
SYS.CALL.INTERRUPTED         1 - -     The program was asked to end. Never healed.
SYS.OS.ERROR                 3 - F     Another failure that the operating system reports.
CODE.TYPE.MISMATCH           3 - GP    An operation got an object of the wrong type.
CODE.TYPE.NONE               3 - GF    ``None`` stands where an object is needed.
CODE.TYPE.ARGUMENTS          3 - P     A call doesn't fit the function's signature.
CODE.VALUE.INVALID           2 - GP    An argument has the right type and an unusable value.
CODE.VALUE.CONVERSION        2 - GP    A text isn't the number, date or characters it should be.
CODE.KEY.MISSING             3 - GF    A mapping doesn't have the key.
CODE.INDEX.OUT_OF_RANGE      3 - GF    A sequence doesn't reach that far.
CODE.ATTRIBUTE.MISSING       3 - GF    An object doesn't have the attribute.
CODE.NAME.UNDEFINED          4 - -     A name isn't defined, or not yet.
CODE.ARITHMETIC.ZERO         3 - GF    Division by zero.
CODE.ARITHMETIC.OVERFLOW     3 - G     A number is too large, or a calculation isn't defined.
CODE.IMPORT.FAILED           4 - -     A module, or a name in it, can't be imported.
CODE.SYNTAX.INVALID          4 - -     Source text, an expression or a pattern can't be parsed.
CODE.STATE.INVALID           3 - F     An object isn't in the state that the operation needs.
CODE.STATE.CONCURRENCY       3 - F     Threads or tasks get into each other's way.
CODE.STATE.QUEUE             2 t RF    A queue is full, or empty.
CODE.ITERATION.EXHAUSTED     3 - GF    There is no next item.
CODE.LOGIC.ASSERTION         4 - F     The program found a contradiction in itself.
CODE.LOGIC.NOT_IMPLEMENTED   3 - F     It was never written.
CODE.LOGIC.RECURSION         4 - GP    A function calls itself without end.
CODE.LOGIC.UNCLASSIFIED      3 - F     No rule knows it; the class's name tells more.
"""

_FIXES = MappingProxyType(
    {
        "R": "retry",
        "F": "fallback",
        "G": "guard",
        "P": "parameter",
        "M": "prompt",
        "T": "tool",
        "X": "routing",
    }
)


def _rows() -> Iterator[ErrorCode]:
    for line in _TABLE.strip().splitlines():
        code, severity, transient, fixes, sentence = line.split(maxsplit=4)
        yield ErrorCode(
            code=code,
            sentence=sentence,
            severity=int(severity),
            transient=transient == "t",
            healable_by=tuple(_FIXES[letter] for letter in fixes if letter != "-"),
        )


#: Code to its row, in the order of the reference page.
CODES: Mapping[str, ErrorCode] = MappingProxyType({row.code: row for row in _rows()})
