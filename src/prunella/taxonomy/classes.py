"""The classes that are known, by ``package:Class``: what Python, its libraries and clients raise."""

from collections.abc import Mapping

from prunella.taxonomy.rules import (
    Rule,
    by_aws_code,
    by_dns_errno,
    by_errno,
    by_llm_answer,
    by_message,
    by_sqlstate,
    by_status,
)

_NET = ("NET.",)
_connection = by_message("connection")
_database = by_message("database")

_PLAIN = """
builtins:AssertionError CODE.LOGIC.ASSERTION
builtins:BlockingIOError SYS.RESOURCE.BUSY
builtins:BrokenPipeError NET.CONNECTION.RESET
builtins:BufferError CODE.STATE.INVALID
builtins:ChildProcessError SYS.PROCESS.NOT_FOUND
builtins:ConnectionAbortedError NET.CONNECTION.RESET
builtins:ConnectionRefusedError NET.CONNECTION.REFUSED
builtins:ConnectionResetError NET.CONNECTION.RESET
builtins:EOFError OUTPUT.DATA.MALFORMED
builtins:FileExistsError SYS.FILE.EXISTS
builtins:FileNotFoundError SYS.FILE.NOT_FOUND
builtins:FloatingPointError CODE.ARITHMETIC.OVERFLOW
builtins:GeneratorExit SYS.CALL.INTERRUPTED
builtins:ImportError CODE.IMPORT.FAILED
builtins:IndexError CODE.INDEX.OUT_OF_RANGE
builtins:InterruptedError SYS.RESOURCE.BUSY
builtins:IsADirectoryError SYS.FILE.WRONG_KIND
builtins:KeyError CODE.KEY.MISSING
builtins:KeyboardInterrupt SYS.CALL.INTERRUPTED
builtins:LookupError CODE.KEY.MISSING
builtins:MemoryError SYS.MEMORY.EXHAUSTED
builtins:NameError CODE.NAME.UNDEFINED
builtins:NotADirectoryError SYS.FILE.WRONG_KIND
builtins:NotImplementedError CODE.LOGIC.NOT_IMPLEMENTED
builtins:OverflowError CODE.ARITHMETIC.OVERFLOW
builtins:PermissionError SYS.FILE.ACCESS_DENIED
builtins:ProcessLookupError SYS.PROCESS.NOT_FOUND
builtins:RecursionError CODE.LOGIC.RECURSION
builtins:ReferenceError CODE.STATE.INVALID
builtins:StopAsyncIteration CODE.ITERATION.EXHAUSTED
builtins:StopIteration CODE.ITERATION.EXHAUSTED
builtins:SyntaxError CODE.SYNTAX.INVALID
builtins:SystemError CODE.STATE.INVALID
builtins:SystemExit SYS.CALL.INTERRUPTED
builtins:UnicodeDecodeError OUTPUT.TEXT.ENCODING
builtins:UnicodeEncodeError CODE.VALUE.CONVERSION
builtins:UnicodeError CODE.VALUE.CONVERSION
builtins:ZeroDivisionError CODE.ARITHMETIC.ZERO
argparse:ArgumentError CODE.VALUE.INVALID
asyncio:BrokenBarrierError CODE.STATE.CONCURRENCY
asyncio:CancelledError SYS.CALL.CANCELLED
asyncio:IncompleteReadError NET.PROTOCOL.INCOMPLETE
asyncio:InvalidStateError CODE.STATE.INVALID
asyncio:LimitOverrunError NET.PROTOCOL.VIOLATION
asyncio:QueueEmpty CODE.STATE.QUEUE
asyncio:QueueFull CODE.STATE.QUEUE
asyncio:QueueShutDown CODE.STATE.INVALID
asyncio:SendfileNotAvailableError SYS.OS.ERROR
binascii:Error OUTPUT.DATA.MALFORMED
binascii:Incomplete OUTPUT.DATA.MALFORMED
concurrent:BrokenExecutor SYS.PROCESS.LOST
concurrent:CancelledError SYS.CALL.CANCELLED
concurrent:InvalidStateError CODE.STATE.INVALID
configparser:Error OUTPUT.DATA.MALFORMED
configparser:NoOptionError SYS.CONFIG.MISSING
configparser:NoSectionError SYS.CONFIG.MISSING
csv:Error OUTPUT.DATA.MALFORMED
dataclasses:FrozenInstanceError CODE.STATE.INVALID
decimal:DecimalException CODE.ARITHMETIC.OVERFLOW
decimal:ConversionSyntax CODE.VALUE.CONVERSION
decimal:DivisionByZero CODE.ARITHMETIC.ZERO
decimal:DivisionUndefined CODE.ARITHMETIC.ZERO
email:MessageError OUTPUT.DATA.MALFORMED
graphlib:CycleError CODE.VALUE.INVALID
gzip:BadGzipFile OUTPUT.DATA.MALFORMED
html:HTMLParseError OUTPUT.MARKUP.MALFORMED
http:BadStatusLine NET.PROTOCOL.VIOLATION
http:HTTPException NET.PROTOCOL.VIOLATION
http:ImproperConnectionState CODE.STATE.INVALID
http:IncompleteRead NET.PROTOCOL.INCOMPLETE
http:InvalidURL NET.URL.INVALID
http:RemoteDisconnected NET.CONNECTION.CLOSED
http:ResponseNotReady CODE.STATE.INVALID
io:UnsupportedOperation CODE.STATE.INVALID
lzma:LZMAError OUTPUT.DATA.MALFORMED
multiprocessing:AuthenticationError SYS.FILE.ACCESS_DENIED
multiprocessing:BufferTooShort CODE.VALUE.INVALID
multiprocessing:TimeoutError SYS.TIME.DEADLINE
pickle:PickleError OUTPUT.DATA.MALFORMED
pickle:PicklingError CODE.TYPE.MISMATCH
plistlib:InvalidFileException OUTPUT.DATA.MALFORMED
queue:Empty CODE.STATE.QUEUE
queue:Full CODE.STATE.QUEUE
re:PatternError CODE.SYNTAX.INVALID
re:error CODE.SYNTAX.INVALID
shutil:Error SYS.OS.ERROR
shutil:ReadError OUTPUT.DATA.MALFORMED
shutil:SameFileError SYS.FILE.EXISTS
shutil:SpecialFileError SYS.FILE.WRONG_KIND
ssl:SSLCertVerificationError NET.TLS.CERTIFICATE
ssl:SSLEOFError NET.CONNECTION.CLOSED
ssl:SSLWantReadError SYS.RESOURCE.BUSY
ssl:SSLWantWriteError SYS.RESOURCE.BUSY
ssl:SSLZeroReturnError NET.CONNECTION.CLOSED
statistics:StatisticsError CODE.VALUE.INVALID
struct:error OUTPUT.DATA.MALFORMED
subprocess:CalledProcessError SYS.PROCESS.FAILED
subprocess:TimeoutExpired SYS.PROCESS.TIMEOUT
tarfile:TarError OUTPUT.DATA.MALFORMED
threading:BrokenBarrierError CODE.STATE.CONCURRENCY
tomllib:TOMLDecodeError OUTPUT.DATA.MALFORMED
urllib:ContentTooShortError NET.PROTOCOL.INCOMPLETE
xml:ExpatError OUTPUT.MARKUP.MALFORMED
xml:ParseError OUTPUT.MARKUP.MALFORMED
xml:SAXException OUTPUT.MARKUP.MALFORMED
pyexpat:ExpatError OUTPUT.MARKUP.MALFORMED
zipfile:BadZipFile OUTPUT.DATA.MALFORMED
zipfile:LargeZipFile OUTPUT.DATA.MALFORMED
zlib:error OUTPUT.DATA.MALFORMED
zoneinfo:ZoneInfoNotFoundError CODE.VALUE.INVALID
sqlite3:NotSupportedError DB.QUERY.INVALID
sqlite3:InternalError DB.SERVER.ERROR
sqlite3:DataError DB.DATA.INVALID
httpx:ConnectTimeout NET.CONNECTION.TIMEOUT
httpx:CookieConflict CODE.VALUE.INVALID
httpx:DecodingError HTTP.BODY.ENCODING
httpx:InvalidURL NET.URL.INVALID
httpx:LocalProtocolError NET.PROTOCOL.VIOLATION
httpx:PoolTimeout NET.POOL.TIMEOUT
httpx:ProxyError NET.PROXY.FAILED
httpx:ReadTimeout NET.READ.TIMEOUT
httpx:StreamError CODE.STATE.INVALID
httpx:TimeoutException NET.IO.TIMEOUT
httpx:TooManyRedirects HTTP.REDIRECT.LOOP
httpx:UnsupportedProtocol NET.URL.INVALID
httpx:WriteTimeout NET.WRITE.TIMEOUT
httpcore:ConnectTimeout NET.CONNECTION.TIMEOUT
httpcore:ConnectionNotAvailable NET.POOL.TIMEOUT
httpcore:LocalProtocolError NET.PROTOCOL.VIOLATION
httpcore:PoolTimeout NET.POOL.TIMEOUT
httpcore:ProxyError NET.PROXY.FAILED
httpcore:ReadTimeout NET.READ.TIMEOUT
httpcore:TimeoutException NET.IO.TIMEOUT
httpcore:UnsupportedProtocol NET.URL.INVALID
httpcore:WriteTimeout NET.WRITE.TIMEOUT
requests:ConnectTimeout NET.CONNECTION.TIMEOUT
requests:ContentDecodingError HTTP.BODY.ENCODING
requests:InvalidHeader NET.PROTOCOL.VIOLATION
requests:InvalidSchema NET.URL.INVALID
requests:InvalidURL NET.URL.INVALID
requests:InvalidProxyURL NET.URL.INVALID
requests:MissingSchema NET.URL.INVALID
requests:ProxyError NET.PROXY.FAILED
requests:ReadTimeout NET.READ.TIMEOUT
requests:StreamConsumedError CODE.STATE.INVALID
requests:Timeout NET.IO.TIMEOUT
requests:TooManyRedirects HTTP.REDIRECT.LOOP
requests:URLRequired NET.URL.INVALID
requests:UnrewindableBodyError CODE.STATE.INVALID
urllib3:ClosedPoolError CODE.STATE.INVALID
urllib3:ConnectTimeoutError NET.CONNECTION.TIMEOUT
urllib3:DecodeError HTTP.BODY.ENCODING
urllib3:EmptyPoolError NET.POOL.TIMEOUT
urllib3:FullPoolError NET.POOL.TIMEOUT
urllib3:HostChangedError NET.URL.INVALID
urllib3:IncompleteRead NET.PROTOCOL.INCOMPLETE
urllib3:InvalidChunkLength NET.PROTOCOL.INCOMPLETE
urllib3:LocationValueError NET.URL.INVALID
urllib3:NameResolutionError NET.DNS.NOT_FOUND
urllib3:PoolError NET.POOL.TIMEOUT
urllib3:ProxySchemeUnsupported NET.URL.INVALID
urllib3:ReadTimeoutError NET.READ.TIMEOUT
urllib3:ResponseNotChunked NET.PROTOCOL.VIOLATION
urllib3:TimeoutError NET.IO.TIMEOUT
urllib3:TimeoutStateError CODE.STATE.INVALID
urllib3:UnrewindableBodyError CODE.STATE.INVALID
openai:APIResponseValidationError LLM.ANSWER.INVALID
openai:APITimeoutError LLM.CALL.TIMEOUT
openai:ContentFilterFinishReasonError LLM.CONTENT.FILTERED
openai:LengthFinishReasonError LLM.LIMIT.OUTPUT
openai:WebSocketConnectionClosedError LLM.STREAM.INTERRUPTED
anthropic:APIResponseValidationError LLM.ANSWER.INVALID
anthropic:APITimeoutError LLM.CALL.TIMEOUT
anthropic:CredentialsError LLM.ACCESS.KEY
pydantic_ai:UsageLimitExceeded AGENT.BUDGET.EXCEEDED
pydantic_ai:ContentFilterError LLM.CONTENT.FILTERED
pydantic_ai:IncompleteToolCall LLM.LIMIT.OUTPUT
pydantic_ai:ModelRetry AGENT.STEP.REPEATED
pydantic_ai:ToolRetryError AGENT.STEP.REPEATED
pydantic:PydanticUserError CODE.TYPE.MISMATCH
pydantic:SchemaError CODE.TYPE.MISMATCH
pydantic:PydanticSerializationError CODE.TYPE.MISMATCH
redis:AskError DB.SERVER.STARTING
redis:AuthenticationError DB.ACCESS.DENIED
redis:AuthenticationWrongNumberOfArgsError DB.ACCESS.DENIED
redis:AuthorizationError DB.ACCESS.DENIED
redis:BusyLoadingError DB.SERVER.STARTING
redis:ClusterCrossSlotError DB.QUERY.INVALID
redis:ClusterDownError DB.SERVER.STARTING
redis:ClusterError DB.SERVER.STARTING
redis:CrossSlotTransactionError DB.QUERY.INVALID
redis:DataError DB.DATA.INVALID
redis:ExecAbortError DB.TRANSACTION.STATE
redis:InvalidResponse DB.SERVER.ERROR
redis:LockError DB.TRANSACTION.LOCKED
redis:LockNotOwnedError DB.TRANSACTION.STATE
redis:MaxConnectionsError DB.CONNECTION.LIMIT
redis:ModuleError DB.QUERY.INVALID
redis:NoPermissionError DB.ACCESS.DENIED
redis:NoScriptError DB.SCHEMA.MISSING
redis:OutOfMemoryError DB.RESOURCE.EXHAUSTED
redis:PubSubError CODE.STATE.INVALID
redis:ReadOnlyError DB.SERVER.READ_ONLY
redis:RedisClusterException DB.SERVER.STARTING
redis:TimeoutError DB.CONNECTION.TIMEOUT
redis:TryAgainError DB.SERVER.STARTING
redis:WatchError DB.TRANSACTION.CONFLICT
sqlalchemy:ArgumentError DB.QUERY.INVALID
sqlalchemy:CompileError DB.QUERY.INVALID
sqlalchemy:DisconnectionError DB.CONNECTION.LOST
sqlalchemy:InvalidRequestError DB.QUERY.INVALID
sqlalchemy:MultipleResultsFound DB.RESULT.SEVERAL
sqlalchemy:NoReferenceError DB.SCHEMA.MISSING
sqlalchemy:NoResultFound DB.RESULT.NONE
sqlalchemy:NoSuchTableError DB.SCHEMA.MISSING
sqlalchemy:PendingRollbackError DB.TRANSACTION.STATE
sqlalchemy:SQLAlchemyError DB.QUERY.INVALID
sqlalchemy:StaleDataError DB.TRANSACTION.CONFLICT
sqlalchemy:TimeoutError DB.CONNECTION.LIMIT
botocore:ApiVersionNotFoundError CODE.VALUE.INVALID
botocore:BaseEndpointResolverError SYS.CONFIG.MISSING
botocore:BotoCoreError CODE.VALUE.INVALID
botocore:ChecksumError NET.PROTOCOL.INCOMPLETE
botocore:ConfigNotFound SYS.CONFIG.MISSING
botocore:ConnectTimeoutError NET.CONNECTION.TIMEOUT
botocore:CredentialRetrievalError SYS.CONFIG.MISSING
botocore:FlexibleChecksumError NET.PROTOCOL.INCOMPLETE
botocore:IncompleteReadError NET.PROTOCOL.INCOMPLETE
botocore:InvalidConfigError SYS.CONFIG.MISSING
botocore:NoAuthTokenError SYS.CONFIG.MISSING
botocore:NoCredentialsError SYS.CONFIG.MISSING
botocore:NoRegionError SYS.CONFIG.MISSING
botocore:PartialCredentialsError SYS.CONFIG.MISSING
botocore:ProfileNotFound SYS.CONFIG.MISSING
botocore:ProxyConnectionError NET.PROXY.FAILED
botocore:ReadTimeoutError NET.READ.TIMEOUT
botocore:SSOError SYS.CONFIG.MISSING
botocore:TokenRetrievalError SYS.CONFIG.MISSING
botocore:WaiterError SYS.TIME.DEADLINE
"""

_DECIDED: Mapping[str, Rule] = {
    # --- Python
    "builtins:BaseException": Rule(code="CODE.LOGIC.UNCLASSIFIED", is_vague=True),
    "builtins:BaseExceptionGroup": Rule(code="CODE.LOGIC.UNCLASSIFIED", is_vague=True),
    "builtins:Exception": Rule(code="CODE.LOGIC.UNCLASSIFIED", is_vague=True),
    "builtins:ExceptionGroup": Rule(code="CODE.LOGIC.UNCLASSIFIED", is_vague=True),
    "builtins:ArithmeticError": Rule(code="CODE.ARITHMETIC.OVERFLOW"),
    "builtins:ConnectionError": Rule(
        code="NET.CONNECTION.FAILED", refine=(by_errno, _connection), wraps=_NET
    ),
    "builtins:OSError": Rule(code="SYS.OS.ERROR", refine=(by_errno,), is_vague=True),
    "builtins:RuntimeError": Rule(
        code="CODE.STATE.INVALID", refine=(by_message("runtime"),), is_vague=True
    ),
    "builtins:TimeoutError": Rule(
        code="SYS.TIME.DEADLINE", refine=(by_errno, by_message("timeout"))
    ),
    "builtins:TypeError": Rule(code="CODE.TYPE.MISMATCH", refine=(by_message("type"),)),
    "builtins:ValueError": Rule(code="CODE.VALUE.INVALID", refine=(by_message("value"),)),
    "builtins:AttributeError": Rule(code="CODE.ATTRIBUTE.MISSING", refine=(by_message("none"),)),
    "json:JSONDecodeError": Rule(code="OUTPUT.JSON.MALFORMED", refine=(by_message("json"),)),
    "decimal:InvalidOperation": Rule(code="CODE.VALUE.CONVERSION"),
    "socket:gaierror": Rule(
        code="NET.DNS.NOT_FOUND", refine=(by_dns_errno, by_message("connection"))
    ),
    "socket:herror": Rule(code="NET.DNS.NOT_FOUND"),
    "ssl:SSLError": Rule(code="NET.TLS.HANDSHAKE", refine=(by_message("tls"),)),
    "urllib:HTTPError": Rule(code="HTTP.REQUEST.REJECTED", refine=(by_status,)),
    "urllib:URLError": Rule(code="NET.CONNECTION.FAILED", refine=(_connection,), wraps=_NET),
    "sqlite3:Error": Rule(code="DB.QUERY.INVALID", refine=(_database,)),
    "sqlite3:OperationalError": Rule(code="DB.QUERY.INVALID", refine=(_database,)),
    "sqlite3:IntegrityError": Rule(code="DB.INTEGRITY.VIOLATED", refine=(_database,)),
    # --- clients of HTTP
    "httpx:HTTPStatusError": Rule(code="HTTP.REQUEST.REJECTED", refine=(by_status,)),
    "httpx:HTTPError": Rule(code="NET.CONNECTION.FAILED", wraps=_NET),
    "httpx:ConnectError": Rule(code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)),
    "httpx:NetworkError": Rule(code="NET.CONNECTION.RESET", wraps=_NET, refine=(_connection,)),
    "httpx:RemoteProtocolError": Rule(
        code="NET.PROTOCOL.VIOLATION", refine=(by_message("protocol"),)
    ),
    "httpcore:ConnectError": Rule(code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)),
    "httpcore:NetworkError": Rule(code="NET.CONNECTION.RESET", wraps=_NET, refine=(_connection,)),
    "httpcore:RemoteProtocolError": Rule(
        code="NET.PROTOCOL.VIOLATION", refine=(by_message("protocol"),)
    ),
    "requests:RequestException": Rule(
        code="NET.CONNECTION.FAILED", wraps=_NET, refine=(by_status,)
    ),
    "requests:HTTPError": Rule(code="HTTP.REQUEST.REJECTED", refine=(by_status,)),
    "requests:ConnectionError": Rule(
        code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)
    ),
    "requests:ChunkedEncodingError": Rule(
        code="NET.PROTOCOL.INCOMPLETE", wraps=_NET, refine=(by_message("protocol"),)
    ),
    "requests:SSLError": Rule(code="NET.TLS.HANDSHAKE", wraps=_NET, refine=(by_message("tls"),)),
    "requests:RetryError": Rule(code="HTTP.SERVER.ERROR", wraps=(*_NET, "HTTP.")),
    "requests:InvalidJSONError": Rule(code="CODE.VALUE.INVALID"),
    "requests:JSONDecodeError": Rule(code="OUTPUT.JSON.MALFORMED", refine=(by_message("json"),)),
    "urllib3:HTTPError": Rule(code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)),
    "urllib3:MaxRetryError": Rule(
        code="NET.CONNECTION.FAILED", wraps=(*_NET, "HTTP."), refine=(_connection,)
    ),
    "urllib3:NameResolutionError": Rule(code="NET.DNS.NOT_FOUND", wraps=("NET.DNS.",)),
    "urllib3:NewConnectionError": Rule(
        code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)
    ),
    "urllib3:ProtocolError": Rule(
        code="NET.PROTOCOL.VIOLATION", wraps=_NET, refine=(by_message("protocol"),)
    ),
    "urllib3:ProxyError": Rule(code="NET.PROXY.FAILED"),
    "urllib3:ResponseError": Rule(code="HTTP.SERVER.ERROR", refine=(by_message("retries"),)),
    "urllib3:SSLError": Rule(
        code="NET.TLS.HANDSHAKE", wraps=("NET.TLS.",), refine=(by_message("tls"),)
    ),
    # --- language models
    "openai:OpenAIError": Rule(code="LLM.CALL.REJECTED", refine=(by_message("llm client"),)),
    "openai:APIError": Rule(code="LLM.CALL.SERVER_ERROR", refine=(by_llm_answer,)),
    "openai:APIConnectionError": Rule(
        code="LLM.CALL.CONNECTION", wraps=("NET.TLS.CERT", "NET.URL.")
    ),
    "anthropic:AnthropicError": Rule(code="LLM.CALL.REJECTED", refine=(by_message("llm client"),)),
    "anthropic:APIError": Rule(code="LLM.CALL.SERVER_ERROR", refine=(by_llm_answer,)),
    "anthropic:APIConnectionError": Rule(
        code="LLM.CALL.CONNECTION", wraps=("NET.TLS.CERT", "NET.URL.")
    ),
    "pydantic_ai:ModelAPIError": Rule(code="LLM.CALL.SERVER_ERROR", wraps=("LLM.", "NET.")),
    "pydantic_ai:ModelHTTPError": Rule(code="LLM.CALL.REJECTED", refine=(by_llm_answer,)),
    "pydantic_ai:UnexpectedModelBehavior": Rule(
        code="AGENT.OUTPUT.UNUSABLE", refine=(by_message("agent"),)
    ),
    # --- data
    "pydantic:ValidationError": Rule(
        code="OUTPUT.SCHEMA.INVALID", refine=(by_message("validation"),)
    ),
    # --- databases
    "sqlalchemy:StatementError": Rule(code="DB.QUERY.INVALID", wraps=("DB.",), refine=(_database,)),
    "sqlalchemy:DBAPIError": Rule(code="DB.QUERY.INVALID", wraps=("DB.",), refine=(_database,)),
    "sqlalchemy:IntegrityError": Rule(
        code="DB.INTEGRITY.VIOLATED", wraps=("DB.",), refine=(_database,)
    ),
    "sqlalchemy:OperationalError": Rule(
        code="DB.CONNECTION.FAILED", wraps=("DB.",), refine=(_database,)
    ),
    "sqlalchemy:DataError": Rule(code="DB.DATA.INVALID", wraps=("DB.",), refine=(_database,)),
    "psycopg:Error": Rule(code="DB.QUERY.INVALID", refine=(by_sqlstate, _database)),
    "psycopg:DataError": Rule(code="DB.DATA.INVALID", refine=(by_sqlstate, _database)),
    "psycopg:IntegrityError": Rule(code="DB.INTEGRITY.VIOLATED", refine=(by_sqlstate, _database)),
    "psycopg:InternalError": Rule(code="DB.SERVER.ERROR", refine=(by_sqlstate, _database)),
    "psycopg:OperationalError": Rule(code="DB.CONNECTION.FAILED", refine=(by_sqlstate, _database)),
    "psycopg:ConnectionTimeout": Rule(code="DB.CONNECTION.TIMEOUT"),
    "psycopg:PoolClosed": Rule(code="CODE.STATE.INVALID"),
    "psycopg_pool:PoolTimeout": Rule(code="DB.CONNECTION.LIMIT"),
    "redis:RedisError": Rule(code="DB.QUERY.INVALID", refine=(by_message("redis answer"),)),
    "redis:ConnectionError": Rule(
        code="DB.CONNECTION.FAILED", refine=(by_message("redis connection"),)
    ),
    # --- Amazon's services
    "botocore:ClientError": Rule(code="HTTP.REQUEST.REJECTED", refine=(by_aws_code,)),
    "botocore:ConnectionError": Rule(
        code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)
    ),
    "botocore:HTTPClientError": Rule(
        code="NET.CONNECTION.FAILED", wraps=_NET, refine=(_connection,)
    ),
    "botocore:ConnectionClosedError": Rule(code="NET.CONNECTION.CLOSED"),
    "botocore:ResponseStreamingError": Rule(code="NET.PROTOCOL.INCOMPLETE"),
    "botocore:SSLError": Rule(code="NET.TLS.HANDSHAKE", wraps=_NET, refine=(by_message("tls"),)),
    "botocore:ParamValidationError": Rule(code="CODE.VALUE.INVALID"),
}

RULES: Mapping[str, Rule] = {
    **{
        name: Rule(code=code)
        for name, code in (line.split() for line in _PLAIN.split("\n") if line)
    },
    **_DECIDED,
}
