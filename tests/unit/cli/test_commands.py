import io
import json
from dataclasses import replace
from pathlib import Path

import click
import pytest

from builders import AT, accepted, call, candidate, diagnosis, incident, occurrence, site
from doubles.healer import FakeHealer
from prunella.cli.app import app, run
from prunella.cli.commands.incidents import STATUSES
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.model.errors import AmbiguousName, NothingToHeal, SandboxUnavailable, StoreError
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import CallId, ExchangeId, IncidentId
from prunella.model.incidents import IncidentStatus
from prunella.model.repair import Publication, ReplayEnding, ReplayOutcome
from prunella.model.settings import Settings
from prunella.pipeline.results import (
    Difference,
    Healing,
    HealingOutcome,
    Proposal,
    ReplayReport,
    ReplayRow,
    Story,
)
from prunella.ports import KeptCall, ModelRequest

HOSTILE = "\x1b]0;owned\x07 [bold]not markup[/bold] :smile: \u202eback"
OPEN = incident()
IGNORED = incident(
    incident_id=IncidentId("inc_2"), status=IncidentStatus.IGNORED, ignored_by="OutOfStock"
)


def invoke(healer, *arguments):
    """Run a command line on a fake healer; return exit code, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    code = run(arguments, Session(open_healer=healer.open, stdout=out, stderr=err))
    return code, out.getvalue(), err.getvalue()


def healing(outcome=HealingOutcome.PROVEN, **changes):
    values = {
        "incident": OPEN,
        "diagnosis": diagnosis(),
        "proposals": (Proposal(candidate=candidate(), verdict=accepted()),),
        "publication": None,
        "outcome": outcome,
        "explanation": "Because of that.",
    }
    return Healing(**(values | changes))


def report(*differences):
    outcome = ReplayOutcome(request_id=CallId("call_1"), ending=ReplayEnding.RETURNED, result=3.0)
    rows = [
        ReplayRow(request_id="call_1", difference=item, detail="at [0]: 3 != 4", outcome=outcome)
        for item in differences
    ]
    return ReplayReport(
        site_id="shop.prices:average",
        against="working tree",
        sandbox="bubblewrap",
        rows=tuple(rows),
    )


def exchange(**changes):
    values = {
        "exchange_id": ExchangeId("exc_1"),
        "incident_id": IncidentId("inc_1"),
        "model": "openai:gpt-4.1",
        "purpose": "patch",
        "system": "You repair Python functions.",
        "prompt": "What is wrong with `average`?",
        "answer": "",
        "error": "rate_limit: 429, try again in 20 s",
        "input_tokens": 1200,
        "output_tokens": 0,
        "latency_s": 1.25,
        "asked_at": AT,
    }
    return ModelExchange(**(values | changes))


def story(**changes):
    values = {
        "incident": OPEN,
        "site": site(),
        "occurrences": (occurrence(),),
        "similar": (),
        "diagnoses": (diagnosis(),),
        "candidates": ((candidate(), accepted()), (candidate(), None)),
        "publications": (),
        "exchanges": (exchange(),),
    }
    return Story(**(values | changes))


def test_bare_incidents_lists_all_but_ignored_ones():
    """`incidents` is `incidents list`; how many are ignored is said."""
    code, out, _ = invoke(FakeHealer(known=[OPEN, IGNORED]), "incidents")
    assert code == ExitCode.DONE
    assert "inc_1" in out
    assert "inc_2" not in out
    assert "1 ignored incident" in out


def test_incidents_can_be_asked_for_by_status_and_function():
    """Filters choose; with `--json` the same choice is one document."""
    healer = FakeHealer(known=[OPEN, IGNORED])
    _, out, _ = invoke(healer, "incidents", "--status", "ignored", "--json")
    assert [item["incident_id"] for item in json.loads(out)["incidents"]] == ["inc_2"]
    _, out, _ = invoke(healer, "incidents", "--function", "nothing_of_that_name", "--json")
    assert json.loads(out) == {"incidents": [], "ignored": 0}


def test_old_incidents_are_outside_the_window():
    """`--lookback` goes by the last failure."""
    _, out, _ = invoke(FakeHealer(known=[OPEN]), "incidents", "--lookback", "1", "--json")
    assert json.loads(out)["incidents"] == []


def test_the_choices_of_status_are_the_vocabulary():
    """`--status` offers every status there is."""
    assert tuple(status.value for status in IncidentStatus) == STATUSES


def test_the_story_tells_what_is_kept():
    """Inputs, frames with locals, diagnosis, evidence, candidates and verdicts are all there."""
    code, out, _ = invoke(FakeHealer(stories={"inc_1": story()}), "incidents", "show", "inc_1")
    assert code == ExitCode.DONE
    for expected in (
        "shop/prices.py:4",
        "values = []",
        "ZeroDivisionError: division by zero",
        "`values` is empty.",
        "occ_1",
        "Return 0.0 when `values` is empty.",
        "3 of 3 return",
        "+after",
        "openai:gpt-4.1",
        "rate_limit: 429",
    ):
        assert expected in out


def test_the_story_as_json_is_whole():
    """Every part of the story is in the document, diffs instead of whole files."""
    healer = FakeHealer(stories={"inc_1": story()})
    _, out, _ = invoke(healer, "incidents", "show", "inc_1", "--json")
    plain = json.loads(out)
    assert set(plain) == {
        "incident", "site", "occurrences", "similar", "diagnoses", "candidates", "publications",
        "exchanges", "regressed_release",
    }  # fmt: skip
    assert [bool(item["verdict"]) for item in plain["candidates"]] == [True, False]
    assert "before" not in plain["candidates"][0]["patch"]


def test_the_story_as_json_has_what_was_said_with_models():
    """Prompt and answer are there word for word; for people there are tokens, time and reason."""
    told = story(exchanges=(exchange(answer="Like this.", error=None),))
    _, out, _ = invoke(FakeHealer(stories={"inc_1": told}), "incidents", "show", "inc_1", "--json")
    (said,) = json.loads(out)["exchanges"]
    assert said["prompt"] == "What is wrong with `average`?"
    assert said["answer"] == "Like this."


def test_a_dry_run_prints_what_a_model_would_be_sent():
    """System text and prompt are shown whole, whatever they contain."""
    question = ModelRequest(
        purpose="patch", system="You repair.", prompt=f"Here it is:\n{HOSTILE}\nthe end"
    )
    asked = healing(questions=(question,))
    healer = FakeHealer(known=[OPEN], healings={"inc_1": asked})
    _, out, _ = invoke(healer, "heal", "average", "--dry-run")
    assert "You repair." in out
    assert "Here it is:" in out
    assert "the end" in out
    assert "\x1b" not in out


def test_ignoring_says_what_is_ignored():
    """`incidents ignore` answers with the incident."""
    healer = FakeHealer(known=[IGNORED])
    code, out, _ = invoke(healer, "incidents", "ignore", "inc_2")
    assert code == ExitCode.DONE
    assert "inc_2 is ignored from now on" in out
    assert ("ignore", "inc_2") in healer.asked


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["average"], (False, True)),
        (["average", "--pr"], (True, True)),
        (["average", "--dry-run"], (False, False)),
    ],
)
def test_healing_publishes_and_writes_only_as_asked(arguments, asked):
    """Without `--pr` nothing is published, with `--dry-run` nothing is written."""
    healer = FakeHealer(known=[OPEN], healings={"inc_1": healing()})
    code, out, _ = invoke(healer, "heal", *arguments)
    assert code == ExitCode.DONE
    assert ("heal", "inc_1", *asked) in healer.asked
    assert ("pending", None, "average") in healer.asked
    assert "+after" in out


def test_a_model_root_and_window_reach_the_healer(tmp_path):
    """Options are passed on as they were given."""
    healer = FakeHealer(known=[OPEN], healings={"inc_1": healing()})
    invoke(healer, "heal", "f", "--model", "openai:x", "--root", str(tmp_path), "--lookback", "5")
    assert ("open", tmp_path, "openai:x") in healer.asked
    assert ("pending", 5, "f") in healer.asked
    assert healer.closed


def test_where_nothing_is_healed_the_exit_code_says_so():
    """An abstention ends with 1 and gives its reason."""
    unhealed = healing(HealingOutcome.ABSTAINED, proposals=(), explanation="It needs a decision.")
    code, out, _ = invoke(FakeHealer(known=[OPEN], healings={"inc_1": unhealed}), "heal", "average")
    assert code == ExitCode.NEGATIVE
    assert "It needs a decision." in out


def test_one_incident_that_cannot_be_healed_does_not_stop_the_others():
    """`--all` goes on; one healed incident is enough for 0."""
    second = replace(OPEN, incident_id=IncidentId("inc_3"))
    healer = FakeHealer(
        known=[OPEN, second],
        healings={"inc_1": NothingToHeal("retention took it"), "inc_3": healing()},
    )
    code, out, _ = invoke(healer, "heal", "--all")
    assert code == ExitCode.DONE
    assert "retention took it" in out
    assert "1 of 2 incidents healed" in out
    _, out, _ = invoke(healer, "heal", "--all", "--json")
    plain = json.loads(out)
    assert plain["healed"] == 1
    assert [item["outcome"] for item in plain["healings"]] == ["not_tried", "proven"]


def test_nothing_to_heal_is_fine_for_all():
    """`heal --all` on a healthy program is done, not a failure: schedulers run it."""
    code, out, _ = invoke(FakeHealer(), "heal", "--all")
    assert code == ExitCode.DONE
    assert "Nothing to heal" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["heal"],
        ["heal", "average", "--all"],
        ["heal", "average", "--pr", "--dry-run"],
        ["heal", "average", "--lookback", "0"],
        ["heal", "average", "--root", "/nowhere/at/all"],
        ["incidents", "--status", "unheard-of"],
        ["replay"],
        ["replay", "average", "--against", "/nowhere/at/all.patch"],
        ["no-such-command"],
        ["--no-such-option"],
    ],
)
def test_bad_usage_ends_with_two(arguments):
    """What can't be meant is said on stderr, and nothing is printed as a result."""
    code, out, err = invoke(FakeHealer(known=[OPEN]), *arguments)
    assert code == ExitCode.USAGE
    assert out == ""
    assert err


def test_bad_usage_is_json_where_json_was_asked_for():
    """Whoever parses standard output always finds one document there."""
    code, out, err = invoke(FakeHealer(), "heal", "--no-such-option", "--json")
    assert code == ExitCode.USAGE
    assert json.loads(out)["error"]["type"] == "NoSuchOption"
    assert "--no-such-option" in err


def test_a_published_patch_says_where_it_stands():
    """Branch, text and the command to look at it are shown."""
    publication = Publication(
        candidate_id=candidate().candidate_id,
        branch="prunella/fix-average-20261120",
        commit="c0ffee",
        url="file:///srv/my%20shop/.prunella/pull-requests/x.md",
        published_at=AT,
    )
    done = healing(HealingOutcome.PUBLISHED, publication=publication)
    _, out, _ = invoke(
        FakeHealer(known=[OPEN], healings={"inc_1": done}), "heal", "average", "--pr"
    )
    assert "git diff HEAD...prunella/fix-average-20261120" in out
    assert "/srv/my shop/.prunella/pull-requests/x.md" in out


@pytest.mark.parametrize(
    ("differences", "code"),
    [
        ([Difference.SAME, Difference.SAME], ExitCode.DONE),
        ([Difference.HEALED, Difference.NOT_REPLAYED], ExitCode.DONE),
        ([Difference.SAME, Difference.CHANGED], ExitCode.NEGATIVE),
        ([Difference.BROKEN], ExitCode.NEGATIVE),
    ],
)
def test_a_replay_that_differs_ends_with_one(differences, code):
    """Changed and broken calls are differences; healed ones are what everyone wants."""
    ended, _, _ = invoke(FakeHealer(report=report(*differences)), "replay", "average")
    assert ended == code


def test_a_replay_shows_what_differs_and_counts_the_rest(tmp_path):
    """Same calls are a number; the patch is passed on as bytes."""
    patch = tmp_path / "fix.patch"
    patch.write_bytes(b"--- a\r\n")
    healer = FakeHealer(report=report(Difference.SAME, Difference.CHANGED))
    _, out, _ = invoke(healer, "replay", "average", "--against", str(patch))
    assert "at [0]: 3 != 4" in out
    assert "1 same, 1 changed" in out
    assert ("replay", "average", b"--- a\r\n") in healer.asked


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AmbiguousName("f", ["a:f", "b:f"]), ExitCode.USAGE),
        (NothingToHeal("nothing of it failed"), ExitCode.NEGATIVE),
        (StoreError("the store is corrupt: move it away"), ExitCode.UNABLE),
        (SandboxUnavailable("no sandbox: install bubblewrap"), ExitCode.UNABLE),
    ],
)
@pytest.mark.parametrize("command", [["incidents"], ["heal", "f"], ["replay", "f"]])
def test_what_stops_a_command_is_one_line_on_stderr(error, code, command):
    """No traceback; under `--json` the error is the document."""
    ended, out, err = invoke(FakeHealer(broken=error), *command)
    assert (ended, out) == (code, "")
    assert err == f"prunella: {error}\n"
    ended, out, _ = invoke(FakeHealer(broken=error), *command, "--json")
    assert ended == code
    assert json.loads(out) == {"error": {"type": type(error).__name__, "message": str(error)}}


def test_a_fault_of_ours_is_told_apart():
    """An unexpected exception is neither "no" nor "can't": it has its own code and a traceback."""
    code, _, err = invoke(FakeHealer(broken=ZeroDivisionError("ours")), "incidents")
    assert code == ExitCode.INTERNAL
    assert "fault in Prunella itself" in err
    assert "Traceback" in err


def test_ctrl_c_ends_with_130():
    """An interrupted command says so without a traceback."""
    code, _, err = invoke(FakeHealer(broken=KeyboardInterrupt()), "incidents")
    assert (code, err) == (ExitCode.INTERRUPTED, "prunella: interrupted\n")


def test_untrusted_text_neither_steers_the_terminal_nor_is_markup():
    """Messages, values, sources and names are printed visibly, whatever they contain."""
    hostile = incident(message=HOSTILE, error_code=HOSTILE, ignored_by=HOSTILE)
    made = candidate(description=HOSTILE, reason=HOSTILE)
    told = story(
        incident=hostile,
        occurrences=(
            occurrence(
                inputs=["d", HOSTILE, HOSTILE],
                exception=replace(occurrence().exception, message=HOSTILE),
            ),
        ),
        diagnoses=(diagnosis(root_cause=HOSTILE, abstention=HOSTILE, made_by=HOSTILE),),
        candidates=((made, accepted(summary=HOSTILE)),),
        exchanges=(exchange(model=HOSTILE, purpose=HOSTILE, error=HOSTILE),),
    )
    attempt = healing(
        incident=hostile,
        diagnosis=diagnosis(root_cause=HOSTILE),
        proposals=(Proposal(candidate=made, verdict=accepted(summary=HOSTILE)),),
    )
    healer = FakeHealer(
        known=[hostile],
        stories={"inc_1": told},
        healings={hostile.incident_id: attempt},
        kept=[
            KeptCall(call=call(inputs=["d", HOSTILE, HOSTILE], result=HOSTILE, parent_id=HOSTILE))
        ],
    )
    commands = ("incidents", "incidents show inc_1", "heal average", "calls", "calls show call_1")
    for arguments in map(str.split, commands):
        _, out, _ = invoke(healer, *arguments)
        assert not any(char in out for char in "\x1b\x07\u202e")
        assert "[bold]not markup[/bold] :smile:" in out.replace("\n", " ")


@pytest.mark.parametrize(
    "command",
    [
        [], ["demo"], ["incidents"], ["incidents", "list"], ["incidents", "show"],
        ["incidents", "ignore"], ["calls"], ["calls", "list"], ["calls", "show"],
        ["calls", "golden"], ["calls", "ungolden"], ["heal"], ["replay"], ["doctor"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_explains_itself(command, capsys):
    """`--help` answers on stdout and ends with 0."""
    assert run([*command, "--help"]) == ExitCode.DONE
    assert capsys.readouterr().out.startswith("Usage: prunella")


def test_calls_can_be_listed_and_shown():
    """`calls` is `calls list`; each call is shown with its inputs and its result."""
    healer = FakeHealer(kept=[KeptCall(call=call()), KeptCall(call=call(), golden_at=AT)])
    code, out, _ = invoke(healer, "calls")
    assert code == ExitCode.DONE
    assert "values=[2, 4]" in out
    assert "→ 3.0" in out
    assert out.count("golden") == 2
    _, out, _ = invoke(healer, "calls", "list", "average", "--golden", "--limit", "1", "--json")
    (found,) = json.loads(out)["calls"]
    assert (found["call"]["call_id"], found["golden_at"]) == ("call_1", None)
    assert healer.asked[-1] == ("calls", "average", True, 1)
    _, out, _ = invoke(healer, "calls", "show", "call_1")
    assert "values = [2, 4]" in out
    _, out, _ = invoke(FakeHealer(), "calls")
    assert "No recorded calls" in out


def test_calls_are_marked_as_references():
    """`golden` and `ungolden` take several ids and say what each call is now."""
    healer = FakeHealer(kept=[KeptCall(call=call(complete=False), golden_at=AT)])
    code, out, _ = invoke(healer, "calls", "golden", "call_1", "call_2")
    assert code == ExitCode.DONE
    assert "call_1 is golden" in out
    assert "can't be replayed" in out
    assert healer.asked[-1] == ("mark_golden", ("call_1", "call_2"), True)
    healer.kept = [KeptCall(call=call())]
    _, out, _ = invoke(healer, "calls", "ungolden", "call_1")
    assert "ordinary call again" in out
    assert healer.asked[-1] == ("mark_golden", ("call_1",), False)
    code, _, err = invoke(healer, "calls", "golden")
    assert code == ExitCode.USAGE
    assert "ID" in err


def test_every_command_speaks_json():
    """Whatever prints a result has `--json`, and what works on a project has `--root`."""
    groups = [item for item in app.commands.values() if isinstance(item, click.Group)]
    leaves = [item for item in app.commands.values() if item not in groups]
    for command in [*leaves, *(item for group in groups for item in group.commands.values())]:
        names = {name for parameter in command.params for name in parameter.opts}
        assert "--json" in names
        if command.name not in {"demo", "validate"}:  # these work on no project
            assert "--root" in names


def test_the_root_is_a_folder(tmp_path):
    """`--root` that is a file is bad usage."""
    file = tmp_path / "file"
    file.touch()
    code, _, err = invoke(FakeHealer(), "incidents", "--root", str(file))
    assert code == ExitCode.USAGE
    assert "is a file" in err
    assert Path(file).exists()


@pytest.mark.parametrize("arguments", [["heal", "average"], ["replay", "average"]])
def test_without_isolation_there_is_a_warning(arguments):
    """Whatever runs the project's code says on stderr when nothing keeps it apart."""
    fake = FakeHealer(known=[OPEN], healings={"inc_1": healing()}, report=report(Difference.SAME))
    assert "sandbox = none" not in invoke(fake, *arguments)[2]
    fake.settings = Settings(sandbox="none")
    assert "WARNING: sandbox = none" in invoke(fake, *arguments)[2]
