"""What redis-py raises: a server that speaks RESP2 answers as the key says."""

import socket
import threading
from functools import cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from taxonomy_corpus.cases import Case, cases
from taxonomy_corpus.server import closed_port, full_port

CASES: list[Case] = []

#: Key to what a real server says there.
_ANSWERS = {
    "wrongtype": "WRONGTYPE Operation against a key holding the wrong kind of value",
    "integer": "ERR value is not an integer or out of range",
    "oom": "OOM command not allowed when used memory > 'maxmemory'.",
    "loading": "LOADING Redis is loading the dataset in memory",
    "readonly": "READONLY You can't write against a read only replica.",
    "noauth": "NOAUTH Authentication required.",
    "noperm": "NOPERM User default has no permissions to run the 'get' command",
    "noscript": "NOSCRIPT No matching script.",
    "busy": "BUSY Redis is busy running a script. You can only call SCRIPT KILL.",
    "misconf": "MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.",
    "unknown": "ERR unknown command 'GETT', with args beginning with: 'a'",
    "number": "ERR wrong number of arguments for 'get' command",
    "syntax": "ERR syntax error",
    "clusterdown": "CLUSTERDOWN The cluster is down",
    "tryagain": "TRYAGAIN Multiple keys request during rehashing of slot",
    "crossslot": "CROSSSLOT Keys in request don't hash to the same slot",
    "moved": "MOVED 3999 127.0.0.1:6381",
    "masterdown": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "execabort": "EXECABORT Transaction discarded because of previous errors.",
    "clients": "ERR max number of clients reached",
    "odd": "ERR something new",
}


class _Server:
    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rb") as lines:
            try:
                while words := self._command(lines):
                    if not self._answer(connection, words):
                        return
            except OSError:
                pass  # the client has gone

    def _command(self, lines):
        head = lines.readline()
        words = []
        for _ in range(int(head[1:]) if head else 0):
            length = int(lines.readline()[1:])
            words.append(lines.read(length).decode())
            lines.readline()
        return words

    def _answer(self, connection, words):
        name, key = words[0].upper(), words[-1]
        if name == "AUTH":
            connection.sendall(
                b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
            )
        elif name == "EXEC":
            connection.sendall(b"*-1\r\n")
        elif name not in ("GET", "EVALSHA"):
            connection.sendall(b"+OK\r\n")
        elif key == "close":
            return False
        elif key == "silence":
            connection.settimeout(3)
            connection.recv(1)
        elif key == "garbage":
            connection.sendall(b"what is this\r\n")
        else:
            connection.sendall(f"-{_ANSWERS[key]}\r\n".encode())
        return True


@cache
def _server():
    return _Server()


def client(**options):
    values = {
        "port": _server().port,
        "protocol": 2,
        "socket_timeout": 5,
        "retry": Retry(NoBackoff(), 0),
    }
    return redis.Redis(**{**values, **options})


def get(key, **options):
    with client(**options) as one:
        return one.get(key)


def watched():
    with client() as one, one.pipeline() as pipeline:
        pipeline.watch("a")
        pipeline.multi()
        pipeline.set("a", 1)
        pipeline.execute()


def pool_of_one():
    pool = redis.ConnectionPool(port=_server().port, protocol=2, max_connections=1)
    taken = pool.get_connection()
    try:
        pool.get_connection()
    finally:
        pool.release(taken)
        pool.disconnect()


def lock_not_owned():
    with client() as one:
        one.lock("a").release()


_LABELS = {
    "DB.DATA.INVALID": ("wrongtype", "integer"),
    "DB.RESOURCE.EXHAUSTED": ("oom",),
    "DB.SERVER.STARTING": ("loading", "clusterdown", "tryagain", "moved", "masterdown"),
    "DB.SERVER.READ_ONLY": ("readonly", "misconf"),
    "DB.ACCESS.DENIED": ("noauth", "noperm"),
    "DB.SCHEMA.MISSING": ("noscript",),
    "DB.TRANSACTION.LOCKED": ("busy",),
    "DB.QUERY.SYNTAX": ("unknown", "number", "syntax"),
    "DB.QUERY.INVALID": ("crossslot", "odd"),
    "DB.TRANSACTION.STATE": ("execabort",),
    "DB.CONNECTION.LIMIT": ("clients",),
    "DB.CONNECTION.LOST": ("close",),
    "DB.SERVER.ERROR": ("garbage",),
}
for code, keys in _LABELS.items():
    cases(CASES, code, **{key: lambda key=key: get(key) for key in keys})
cases(
    CASES, "DB.CONNECTION.TIMEOUT",
    silence=lambda: get("silence", socket_timeout=0.05),
    connecting=lambda: get("a", port=full_port(), socket_connect_timeout=0.05),
)  # fmt: skip
cases(
    CASES, "DB.CONNECTION.FAILED",
    refused=lambda: get("a", port=closed_port()), name=lambda: get("a", host="name.invalid"),
)  # fmt: skip
cases(CASES, "DB.ACCESS.DENIED", password=lambda: get("a", password="wrong"))  # noqa: S106
cases(CASES, "DB.CONNECTION.LIMIT", pool=pool_of_one)
cases(CASES, "DB.TRANSACTION.CONFLICT", watched=watched)
cases(CASES, "DB.TRANSACTION.LOCKED", lock=lock_not_owned)
cases(CASES, "DB.DATA.INVALID", unencodable=lambda: get(object()))
