"""Fixes that are proposed from what a program recorded."""

import io
import json
import subprocess
import sys

import pytest

from doubles.openai_endpoint import answer_json, endpoint, rubbish
from prunella.cli.app import run
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.wiring.healer import Healer

#: Fails every third call, works again at once; takes its time, so that durations mean something.
PROGRAM = """
import itertools, time
from prunella import heal, tool


@tool(idempotent=IDEMPOTENT)
def fetch(city):
    time.sleep(0.002)
    if next(count) % 3 == 0:
        raise TimeoutError("upstream")
    return city


count = itertools.count()
for number in range(60):
    try:
        fetch(f"city {number}")
    except TimeoutError:
        pass
    time.sleep(0.06)
"""


#: Asks a model, whose answer has words around its JSON every third time.
ASKING = """
import itertools, json, time
from prunella import heal, llm


@llm(boundary=True)
def ask(question):
    answer = json.dumps({"title": question, "text": "green"})
    return f"Sure! {answer} Anything else?" if next(count) % 3 == 0 else answer


@heal
def title(plant):
    return json.loads(ask(f"What is a {plant}?"))["title"]


count = itertools.count()
for number in range(40):
    try:
        title(f"plant {number}")
    except ValueError:
        pass
    time.sleep(0.01)
"""


class Project:
    def __init__(self, folder, *, idempotent):
        self.folder = folder
        (folder / "pyproject.toml").write_text("[tool.prunella]\nsample_interval_ms = 1\n")
        (folder / "weather.py").write_text(PROGRAM.replace("IDEMPOTENT", str(idempotent)))
        subprocess.run([sys.executable, "weather.py"], cwd=folder, check=True, timeout=60)
        with Healer(root=folder) as healer:
            healer.refresh()
            (self.incident,) = healer.incidents()

    def suggest(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        words = ["fixes", "suggest", self.incident.incident_id, "--root", str(self.folder)]
        code = run([*words, *arguments], Session(stdout=out, stderr=err))
        assert code is ExitCode.DONE, err.getvalue()
        return out.getvalue()

    def retry(self, *arguments):
        found = json.loads(self.suggest("--json", *arguments))["suggestions"]
        return next(item for item in found if item["hypothesis"]["document"]["fix_type"] == "retry")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("weather"), idempotent=True)


def test_a_flaky_tool_gets_a_retry_that_waits_for_approval(project):
    """What the records show is proposed, tried on them, kept with its reasons, and acts nowhere yet."""
    assert project.incident.error_code == "TOOL.EXECUTION.TIMEOUT"
    dry = project.retry("--dry-run")
    assert dry["rollout"] is None
    found = project.retry()
    assert found["trial"]["outcome"] == "accepted"
    assert found["trial"]["caught"] == found["trial"]["failing"] > 0
    assert (found["gate"], found["rollout"]["state"]) == ("approval", "candidate")
    with Healer(root=project.folder) as healer:
        (entry,) = healer.store.audit(subject=project.incident.incident_id)
        assert (entry.actor, entry.action) == ("healer", "propose.approval")
        assert entry.evidence["caught"] == found["trial"]["caught"]
        again = healer.fixes.suggest(project.incident.incident_id)
        assert len(healer.fixes.list()) == 1
        assert again[0].rollout.sequence == 0
    assert "retry" in project.suggest()


def test_switched_on_it_starts_by_itself(tmp_path):
    """With auto_fix_enabled a fix that is sure enough starts its canary; one at a time."""
    project = Project(tmp_path, idempotent=True)
    with Healer(root=tmp_path, auto_fix_enabled=True) as healer:
        first = healer.fixes.suggest(project.incident.incident_id)[0]
    assert first.confidence > 0.8
    assert (first.gate.value, first.rollout.state.value) == ("start", "testing")
    assert first.rollout.ratio == 0.05


def test_what_may_not_be_repeated_is_only_suggested(tmp_path):
    """A retry of a site that nobody declared idempotent is told, with what it needs."""
    found = Project(tmp_path, idempotent=False).retry()
    assert (found["gate"], found["rollout"]) == ("suggest", None)
    assert "idempotent" in found["trial"]["needs"]


# --- with a language model


def part(**changes):
    """One fix of a model's answer."""
    blank = {"fix_id": "", "fix_type": "", "config": "", "description": "", "reasoning": "So."}
    return blank | {"prior": 0.7} | changes


def asked(project, *parts, **settings):
    """Let a model answer with these fixes; return what is suggested, and the exchanges kept."""
    pytest.importorskip("pydantic_ai")
    with (
        endpoint(answer_json({"fixes": list(parts)})) as place,
        Healer(
            "openai:gpt-4.1", root=project.folder, model_base_url=place.openai_url, **settings
        ) as healer,
    ):
        found = healer.fixes.suggest(project.incident.incident_id)
        return found, healer.store.exchanges(project.incident.incident_id)


def test_a_model_adds_and_orders_anew(project):
    """Its fix is tried like any other, its opinion moves a prior half-way, and the answer is kept."""
    own = project.retry("--dry-run")["hypothesis"]
    config = json.dumps({"max_retries": 5, "initial_delay_ms": 20, "retry_on": []})
    found, exchanges = asked(
        project,
        part(fix_id=own["document"]["fix_id"], prior=0.1),
        part(fix_type="retry", config=config, description="retry sooner"),
    )
    by_title = {item.hypothesis.title: item for item in found}
    assert by_title[own["title"]].hypothesis.prior == pytest.approx((own["prior"] + 0.1) / 2)
    added = by_title["retry sooner"]
    assert added.hypothesis.made_by.startswith("model:")
    assert added.trial.caught > 0
    assert exchanges[-1].purpose == "fixes"
    assert "TOOL.EXECUTION.TIMEOUT" in exchanges[-1].prompt


#: What a text hidden in the records may talk a model into.
OBEYED = {
    "approves itself": ("retry", {"approved_non_idempotent": True}),
    "makes results up": ("fallback", {"chain": [{"constant": "fine"}]}),
    "hides errors": ("tool", {"error_map": {"TOOL.*": "fine"}}),
    "no such type": ("exec", {"code": "import os"}),
    "no such key": ("retry", {"command": "rm -rf /"}),
}


@pytest.mark.parametrize("demand", OBEYED)
def test_a_model_that_obeys_injected_instructions_gets_nowhere(project, demand):
    """What only people may say, or isn't a fix at all, is refused, and kept with the reason."""
    fix_type, config = OBEYED[demand]
    before = [item.hypothesis.title for item in asked(project)[0]]
    found, exchanges = asked(
        project, part(fix_type=fix_type, config=json.dumps(config), prior=1.0), part(prior="1.0")
    )
    assert all(item.hypothesis.made_by == "rules" for item in found if item.hypothesis.prior > 0.79)
    assert not [item for item in found if json.dumps(config) in str(item.hypothesis.document)]
    assert len(found) == len(before)
    assert "refused" in str(exchanges[-1])


def test_a_model_starts_nothing_by_itself(project):
    """However sure it is, a model's fix waits for a person, also with auto_fix_enabled."""
    config = json.dumps({"max_retries": 6, "initial_delay_ms": 10})
    found, _ = asked(
        project,
        part(fix_type="retry", config=config, prior=1.0, description="surely"),
        auto_fix_enabled=True,
    )
    (item,) = [item for item in found if item.hypothesis.title == "surely"]
    assert item.confidence < 0.8
    assert item.gate.value != "start"


def test_a_model_that_fails_changes_nothing(project):
    """Rubbish leaves the templates' fixes as they are."""
    pytest.importorskip("pydantic_ai")
    with (
        endpoint(rubbish()) as place,
        Healer("openai:gpt-4.1", root=project.folder, model_base_url=place.openai_url) as healer,
    ):
        found = healer.fixes.suggest(project.incident.incident_id)
    assert found
    assert all(item.hypothesis.made_by == "rules" for item in found)


def test_a_models_answer_is_put_right_where_others_fail_on_it(tmp_path):
    """The function that fails on an answer returned nothing: the guard is for the model's."""
    (tmp_path / "pyproject.toml").write_text("[tool.prunella]\nsample_interval_ms = 1\n")
    (tmp_path / "plants.py").write_text(ASKING)
    subprocess.run([sys.executable, "plants.py"], cwd=tmp_path, check=True, timeout=60)
    with Healer(root=tmp_path) as healer:
        healer.refresh()
        (incident,) = healer.incidents()
        found = healer.fixes.suggest(incident.incident_id)
    (guard,) = [
        each for each in found if each.hypothesis.document["config"].get("stage") == "output"
    ]
    document = guard.hypothesis.document
    assert document["target"]["sites"] == ["__main__:ask"]
    assert document["config"]["on_fail"] == "coerce"
    assert document["config"]["check"]["schema"]["required"] == ["title", "text"]
    assert guard.trial.caught == guard.trial.failing > 0
    assert guard.trial.broken == 0
    assert guard.gate.value in ("approval", "suggest")


def test_another_site_answers_as_often_as_its_own_calls_succeed(tmp_path):
    """A fallback to a site of the same kind is tried by that site's counts; it never starts alone."""
    backup = """
@tool(idempotent=True)
def backup(city):
    return city


for number in range(20):
    backup(f"city {number}")
"""
    (tmp_path / "pyproject.toml").write_text("[tool.prunella]\nsample_interval_ms = 1\n")
    (tmp_path / "weather.py").write_text(PROGRAM.replace("IDEMPOTENT", "True") + backup)
    subprocess.run([sys.executable, "weather.py"], cwd=tmp_path, check=True, timeout=60)
    with Healer(root=tmp_path) as healer:
        healer.refresh()
        (incident,) = healer.incidents()
        found = healer.fixes.suggest(incident.incident_id, keep=False)
    fallback = next(each for each in found if each.hypothesis.fix_type == "fallback")
    assert fallback.hypothesis.document["config"]["chain"] == [{"site": "__main__:backup"}]
    assert fallback.trial.caught == fallback.trial.failing > 0
    assert "100%" in fallback.trial.basis
    assert fallback.gate.value != "start"
