"""What came of healing."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.text import Text

from prunella.cli.attempts import Attempt
from prunella.cli.views.incidents import error_line
from prunella.cli.views.parts import (
    candidate_line,
    checks,
    diff_lines,
    facts,
    failed_function,
    verdict_line,
    words,
)
from prunella.model.incidents import Diagnosis
from prunella.model.repair import Publication
from prunella.model.wording import block, one_line, plural
from prunella.pipeline.results import Healing, HealingOutcome, Proposal
from prunella.ports import ModelRequest

#: Candidates shown in full; of the others, only what became of them.
_SHOWN = 3


def show_attempts(console: Console, attempts: Sequence[Attempt], *, dry_run: bool) -> None:
    """Print every attempt and the sum of them."""
    if not attempts:
        console.print("Nothing to heal: no open incident in the window.")
        return
    for attempt in attempts:
        show_attempt(console, attempt)
        console.print()
    if dry_run:
        console.print(Text("Dry run: nothing was written.", "dim"))
    if len(attempts) > 1:
        healed = sum(attempt.healed for attempt in attempts)
        console.print(Text(f"{healed} of {plural(len(attempts), 'incident')} healed.", "bold"))


def show_attempt(console: Console, attempt: Attempt) -> None:
    """Print one incident, its diagnosis, the candidates with their verdicts, and where it ended."""
    incident = attempt.incident
    console.print(
        Text.assemble(
            (one_line(failed_function(incident)), "bold cyan"),
            "  ",
            error_line(incident, max_chars=120),
            (f"  {plural(incident.count, 'failure')}", "dim"),
        )
    )
    if attempt.healing is None:
        console.print(facts([("not tried", words(attempt.problem, "yellow"))]))
        return
    show_healing(console, attempt.healing)


def show_healing(console: Console, healing: Healing) -> None:
    """Print diagnosis, candidates and outcome."""
    console.print(facts([("cause", cause(healing.diagnosis))]))
    for proposal in healing.proposals[:_SHOWN]:
        _show_proposal(console, proposal, with_diff=proposal is healing.best)
    rest = len(healing.proposals) - _SHOWN
    if rest > 0:
        console.print(facts([("", Text(f"and {plural(rest, 'further candidate')}", "dim"))]))
    console.print(facts(_outcome(healing)))
    if healing.note:
        console.print(facts([("note", words(healing.note, "yellow"))]))
    for number, question in enumerate(healing.questions, start=1):
        _show_question(console, number, question)


def _show_question(console: Console, number: int, question: ModelRequest) -> None:
    """Print word for word what a model would be sent, between rulers."""
    title = f"── would be sent to the model, question {number} "
    console.print(Text(f"{title:─<80}", "dim"))
    for part in (question.system, question.prompt):
        console.print(Text(block(part, max_chars=None)), soft_wrap=True)
        console.print(Text("─" * 80, "dim"))


def cause(diagnosis: Diagnosis) -> Text:
    """Return the root cause and how sure the diagnosis is of it."""
    return Text.assemble(
        one_line(diagnosis.root_cause, 1000), (f"  confidence {diagnosis.confidence:.0%}", "dim")
    )


def _show_proposal(console: Console, proposal: Proposal, *, with_diff: bool) -> None:
    rows = [("candidate", candidate_line(proposal.candidate))]
    console.print(facts([*rows, ("", verdict_line(proposal.verdict))]))
    if with_diff:
        console.print(checks(proposal.verdict, indent=12))
        console.print(diff_lines(proposal.candidate.patch.diff, indent=13), soft_wrap=True)


def _outcome(healing: Healing) -> list[tuple[str, Text]]:
    if healing.publication is not None:
        return publication_facts(healing.publication)
    if healing.outcome is HealingOutcome.PROVEN:
        name = one_line(healing.incident.incident_id)
        return [("next", Text(f"prunella heal {name} --pr puts it on a branch", "dim"))]
    return [("not healed", words(healing.explanation, "yellow"))]


def publication_facts(publication: Publication) -> list[tuple[str, Text]]:
    """Return where a patch stands and how to look at it."""
    url = urlsplit(publication.url)
    text = unquote(url.path) if url.scheme == "file" else publication.url
    if publication.branch is None:
        return [("patch", words(text, "green"))]
    branch = one_line(publication.branch)
    return [
        ("branch", Text(branch, "green")),
        ("text", words(text)),
        ("look", Text(f"git diff HEAD...{branch}", "dim")),
    ]
