import io
import os

from prunella.cli.session import Session


class Terminal(io.StringIO):
    """A stream that says that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_nobody_watching_sees_no_progress():
    """Where stderr is no terminal, progress writes nothing at all."""
    session = Session(stdout=io.StringIO(), stderr=io.StringIO())
    with session.progress("Healing"):
        session.tell("replaying")
    assert session.stderr.getvalue() == ""


def test_progress_goes_to_stderr_and_is_made_safe(monkeypatch):
    """A person sees what is being done; untrusted words in it can't steer the terminal."""
    monkeypatch.setitem(os.environ, "TERM", "xterm")
    session = Session(stdout=Terminal(), stderr=Terminal())
    with session.progress("Healing"):
        session.tell("replaying \x1b]0;owned\x07")
        with session.aside():
            session.console().print("a result")
    assert "replaying \\x1b]0;owned\\x07" in session.stderr.getvalue()
    assert "a result" in session.stdout.getvalue()
    assert "Healing" not in session.stdout.getvalue()


def test_words_outside_progress_are_dropped():
    """The healer may say something when nobody waits."""
    session = Session(stdout=io.StringIO(), stderr=Terminal())
    session.tell("nobody waits")
    with session.aside():
        pass
    assert session.stderr.getvalue() == ""


def test_without_a_terminal_lines_are_120_columns():
    """Tables in logs have room, whatever the environment's COLUMNS."""
    session = Session(stdout=io.StringIO(), stderr=io.StringIO())
    session.console().print("x" * 200)
    assert session.stdout.getvalue().index("\n") == 120
