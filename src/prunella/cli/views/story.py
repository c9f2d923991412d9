"""The story of one incident."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from prunella.cli.views.healing import cause, publication_facts
from prunella.cli.views.incidents import error_line
from prunella.cli.views.parts import (
    STATUS_STYLES,
    candidate_line,
    checks,
    diff_lines,
    facts,
    failed_function,
    frame_line,
    values,
    verdict_line,
    words,
)
from prunella.model.clock import now
from prunella.model.exchanges import ModelExchange
from prunella.model.incidents import Diagnosis, Incident, IncidentStatus, SimilarCase
from prunella.model.records import ExceptionInfo, Occurrence
from prunella.model.repair import Candidate, Publication, Rejected, Verdict
from prunella.model.wording import ago, one_line, plural, span
from prunella.pipeline.results import Story


def show_story(console: Console, story: Story) -> None:
    """Print everything that is kept about an incident, the newest of each sort in full."""
    _show_head(console, story)
    if story.occurrences:
        _show_occurrence(console, story.occurrences[0])
    _show_similar(console, story.similar)
    if story.diagnoses:
        _show_diagnosis(console, story.diagnoses[-1])
    _show_candidates(console, story.candidates)
    _show_exchanges(console, story.exchanges)
    _show_publications(console, story.publications)
    _show_next(console, story)


def _show_head(console: Console, story: Story) -> None:
    incident, moment = story.incident, now()
    console.print(
        Text.assemble(
            (one_line(incident.incident_id), "bold cyan"),
            "  ",
            (incident.status.value, STATUS_STYLES[incident.status]),
            f"  {one_line(failed_function(incident))}",
        )
    )
    rows = [
        ("error", error_line(incident, max_chars=600)),
        ("code", words(incident.error_code)),
        ("where", _where(incident)),
        ("times", Text(_times(incident))),
        ("last", Text(ago(incident.last_seen_at, moment))),
        ("first", Text(ago(incident.first_seen_at, moment))),
    ]
    if story.regressed_release:
        again = f"after it was cured, in release {story.regressed_release}"
        rows.append(("again", words(again, "bold red")))
    if incident.ignored_by:
        rows.append(("ignored", words(incident.ignored_by)))
    console.print(facts(rows))


def _where(incident: Incident) -> Text:
    place = incident.location
    at = f"{place.file}:{place.line}, " if place else "no frame of the project, "
    return words(f"{at}seen by {incident.site_id}")


def _times(incident: Incident) -> str:
    during = span(incident.last_seen_at - incident.first_seen_at)
    return f"{incident.count:,} within {during}" if incident.count > 1 else "1"


def _show_occurrence(console: Console, occurrence: Occurrence) -> None:
    _heading(console, f"Latest occurrence {one_line(occurrence.occurrence_id)}")
    if occurrence.inputs is None:
        console.print(
            facts([("inputs", Text("not recorded: the function wasn't armed yet", "dim"))])
        )
    else:
        whole = "" if occurrence.complete else ", not whole: it can't be replayed"
        console.print(Text(f"  inputs{whole}", "dim"))
        console.print(values(occurrence.inputs, indent=4))
    _show_exception(console, occurrence.exception)


def _show_exception(console: Console, exception: ExceptionInfo) -> None:
    chain = [exception]
    while (cause_of := chain[-1].cause) is not None:
        chain.append(cause_of)
    for number, item in enumerate(chain):
        title = (
            "  raised"
            if number == 0
            else "  because of"
            if _caused(chain, number)
            else "  while handling"
        )
        console.print(
            Text.assemble(
                (f"{title} ", "dim"),
                one_line(item.type_name, 100),
                f": {one_line(item.message, 600)}",
            )
        )
        for frame in item.frames:
            line = frame_line(frame)
            line.pad_left(4)
            console.print(line)
            if frame.in_project and frame.local_values is not None:
                console.print(values(frame.local_values, indent=8))


def _caused(chain: Sequence[ExceptionInfo], number: int) -> bool:
    return chain[number - 1].relation == "cause"


def _show_similar(console: Console, similar: Sequence[SimilarCase]) -> None:
    if not similar:
        return
    _heading(console, "Similar incidents that were solved")
    for item in similar:
        head = f"{item.case.function}: {item.case.error_type}"
        console.print(
            facts(
                [
                    (f"{item.similarity:.0%}", words(f"{head} ({item.because})")),
                    ("", words(f"resolved by: {item.case.resolution}")),
                ]
            )
        )


def _show_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    _heading(console, f"Diagnosis by {one_line(diagnosis.made_by)}")
    rows = [("cause", cause(diagnosis))]
    if diagnosis.abstention:
        rows.append(("missing", words(diagnosis.abstention, "yellow")))
    for hypothesis in diagnosis.hypotheses[:1]:
        for evidence in hypothesis.evidence:
            label = "evidence" if evidence.supports else "against"
            rows.append((label, words(f"{evidence.statement} ({evidence.reference})")))
    rows += [
        ("remedy", words(f"{hypothesis.remedy} ({hypothesis.prior:.0%})"))
        for hypothesis in diagnosis.hypotheses
    ]
    console.print(facts(rows))


def _show_candidates(
    console: Console, candidates: Sequence[tuple[Candidate, Verdict | None]]
) -> None:
    for candidate, verdict in candidates:
        _heading(console, f"Candidate {one_line(candidate.candidate_id)}")
        rows = [("does", candidate_line(candidate)), ("because", words(candidate.reason))]
        console.print(facts([*rows, ("verdict", verdict_line(verdict))]))
        # What was rejected is of interest by its reason alone; `--json` has all of it.
        if not isinstance(verdict, Rejected):
            if verdict is not None:
                console.print(checks(verdict))
            console.print(diff_lines(candidate.patch.diff, indent=4), soft_wrap=True)


def _show_exchanges(console: Console, exchanges: Sequence[ModelExchange]) -> None:
    if not exchanges:
        return
    _heading(console, "Asked of models (word for word: --json)")
    for item in exchanges:
        tokens = f"{item.input_tokens:,} tokens sent, {item.output_tokens:,} received"
        cost = "cost unknown" if item.cost_dollars is None else f"${item.cost_dollars:.4f}"
        text = words(f"{item.model}: {tokens}, {cost}, {item.latency_s:.1f} s")
        if item.error is not None:
            text.append_text(words(f"  {item.error}", "yellow"))
        console.print(facts([(one_line(item.purpose, 40), text)]))


def _show_publications(console: Console, publications: Sequence[Publication]) -> None:
    for publication in publications:
        _heading(console, "Published")
        console.print(facts(publication_facts(publication)))


def _show_next(console: Console, story: Story) -> None:
    if story.incident.status is IncidentStatus.IGNORED or story.publications:
        return
    name = one_line(story.incident.incident_id)
    console.print()
    others = plural(len(story.occurrences), "occurrence")
    console.print(Text(f"{others} kept with full context. Repair: prunella heal {name}", "dim"))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, "bold"))
