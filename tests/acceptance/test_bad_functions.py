"""Functions that can't be observed, found, replayed or edited."""

from acceptance.projects import RATINGS

_CALL = """
try:
    f(*arguments)
except Exception as error:
    print(type(error).__name__)
"""


def heal_all(project, *, code=1):
    """Heal everything with --pr, which must make nothing; return the explanations."""
    ended = project.run("heal", "--all", "--pr", "--json")
    assert ended.code == code, (ended.out, ended.err)
    assert project.branches() == []
    return [item["explanation"] for item in ended.document["healings"]]


def test_what_is_no_python_function(project):
    """@heal refuses a C function and a class with what to do instead, when it is applied."""
    for thing in ("len", "[].append", "type('A', (), {})", "print"):
        ended = project.python("-c", f"from prunella import heal; heal({thing})")
        assert ended.code == 1
        assert "TypeError: @heal takes a Python function" in ended.err
        assert "put it directly above the `def`" in ended.err


def test_a_function_without_a_file(project):
    """From python -c, standard input, exec and a lambda: recorded, and said why it can't heal."""
    header = "from prunella import heal\narguments = (0,)\n"
    body = "@heal\ndef f(x):\n    return 1 / x\n"
    for ended in (
        project.python("-c", header + body + _CALL),
        project.python("-", stdin=header + body + _CALL),
        project.python("-c", f"{header}exec({body!r})\n{_CALL}"),
        project.python("-c", f"{header}f = heal(lambda x: [][x])\n{_CALL}"),
    ):
        assert ended.code == 0, ended.err
        assert ended.out.strip() in ("ZeroDivisionError", "IndexError")
    project.write({"bare.py": f"{header}f = heal(lambda x: {{}}[x])\n{_CALL}"})
    project.git("add", "bare.py")
    project.git("commit", "--quiet", "--message", "A lambda")
    assert project.python("bare.py").out.strip() == "KeyError"
    explanations = heal_all(project)
    assert len(explanations) >= 2
    for explanation in explanations:
        assert any(
            words in explanation
            for words in ("no source file", "lambda", "no frame of the traceback")
        ), explanation
    for name in ("f",):
        ended = project.run("replay", name, "--json")
        assert ended.code in (0, 1, 2)


def test_calls_that_cannot_be_replayed(project):
    """A nested function, an open socket, a secret: the reason is said, and nothing is made."""
    project.write(
        {
            "calls.py": """\
import contextlib
import socket

from prunella import heal


@heal
def send(connection, data):
    return len(data) / connection.family * data["size"] / 0


@heal
def log_in(password):
    return {}[password]


def outer(divisor):
    @heal
    def inner(value):
        return value / divisor

    return inner


with contextlib.suppress(Exception), contextlib.closing(socket.socket()) as connection:
    send(connection, {"size": 0})
with contextlib.suppress(KeyError):
    log_in("hunter2")
with contextlib.suppress(ZeroDivisionError):
    outer(0)(5)
"""
        }
    )
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "Calls")
    assert project.python("calls.py").code == 0
    explanations = heal_all(project)
    assert len(explanations) == 3
    text = "\n".join(explanations)
    assert "hunter2" not in text
    assert "<locals>" in text or "inside another function" in text
    assert "socket" in text
    assert "redacted" in text


def test_a_failure_that_depends_on_its_surroundings(project):
    """It doesn't happen again in the sandbox: no patch, and that reason."""
    project.write(
        {
            "price.py": """\
import os

from prunella import heal


@heal
def price(amount):
    if os.environ.get("SHOP_RATE") == "none":
        return amount / 0
    return amount * 2.0
""",
        }
    )
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "Price")
    project.environment["SHOP_RATE"] = "none"
    script = "import contextlib, price\nwith contextlib.suppress(ZeroDivisionError): price.price(1)"
    project.record(script)
    (explanation,) = heal_all(project)
    assert "No recorded failure happens again" in explanation
    assert "returns" in explanation


def test_a_file_that_no_longer_parses(recorded):
    """A committed syntax error is named with its file."""
    recorded.write({"ratings.py": RATINGS + "def broken(:\n"})
    recorded.git("commit", "--quiet", "--all", "--message", "Break")
    (explanation,) = heal_all(recorded)
    assert "ratings.py of the committed base is not valid Python" in explanation
    ended = recorded.run("replay", "average", "--json")
    assert {row["difference"] for row in ended.document["rows"]} == {"not_replayed"}
    assert "SyntaxError" in ended.out
