"""Candidates from a language model: it answers with the whole function, which is read as data."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace

from prunella.model.dossier import Dossier
from prunella.model.errors import ModelError, PatchRefused, SourceUnavailable
from prunella.model.incidents import Diagnosis
from prunella.model.repair import Candidate, CheckOutcome, SourceFunction, Verdict
from prunella.ports import LanguageModel, ModelRequest
from prunella.prompting import DATA_RULE, MAX_FUNCTION_CHARS, Fact, facts_of, fence, lay_out
from prunella.propose.answers import Unusable, read_answer
from prunella.propose.candidates import make_candidate

_SYSTEM = f"""\
You repair one Python function that fails in production. {DATA_RULE}

Change as little as possible, and only that function (new imports may stand above it). Keep its
name, parameters, decorators, and whether it is async. Keep its comments and docstring. Repair the
cause: give the result that the name, docstring, callers, tests and passing calls lead one to expect
for the failing input. Do not hide the failure: no broad except, no invented values. Results for the
passing calls must stay as they are. No new processes, network access, files, eval or exec.

Answer with one line "Change: <what the edit does, in the imperative>" and then the complete
function in exactly one fenced block that begins with ```python. Nothing else.
"""

_TRIED, _DETAIL_CHARS = 3, 400
#: Chance that a model's patch is right before anything was checked, without and with full
#: confidence in the diagnosis it stands on.
_LEAST_PRIOR, _MOST_PRIOR = 0.3, 0.65
#: What each further sample that gives the same function adds.
_AGREEMENT = 0.08


def proposal_request(
    dossier: Dossier,
    diagnosis: Diagnosis,
    *,
    feedback: Sequence[Verdict] = (),
    attempts: Sequence[Candidate] = (),
    sample: int = 0,
) -> ModelRequest:
    """Return the question for one candidate.

    `feedback` are verdicts on the earlier `attempts` of a repair round; the latest few are shown.
    Raises `SourceUnavailable` where there is no function to show, or where showing it would send
    what looks like a secret.
    """
    facts = facts_of(dossier)
    function = _function(dossier, facts)
    text, _ = lay_out(facts)
    parts = [text, fence("diagnosis", _diagnosis_view(diagnosis))]
    findings = _findings(feedback, attempts)
    if findings:
        parts.append(fence("earlier attempts and what was found", findings))
        parts.append("Those attempts were not accepted. Take the findings into account.")
    if sample:
        parts.append(
            f"This is answer number {sample + 1}. If another way to repair it is as plausible as "
            "the obvious one, give that; otherwise give the obvious one again."
        )
    parts.append(f"Repair {function.qualname}. Answer in the form described.")
    tokens = 1000 + len(function.text) // 2
    return ModelRequest(
        purpose="patch",
        system=_SYSTEM,
        prompt="\n\n".join(parts),
        max_output_tokens=min(tokens, 16_000),
    )


def propose_by_model(
    dossier: Dossier,
    diagnosis: Diagnosis,
    model: LanguageModel,
    *,
    samples: int = 1,
    feedback: Sequence[Verdict] = (),
    attempts: Sequence[Candidate] = (),
    refused: Callable[[str], None] | None = None,
    unusable: Callable[[str], None] | None = None,
) -> list[Candidate]:
    """Return the model's candidates, each once; samples that agree raise its prior.

    An answer that can't be used, and a model that doesn't answer, yield nothing and are told to
    `refused` in a sentence; `unusable` is told ``reason: message`` of an answer that can't be used,
    right behind that answer. Never raises for anything the model does. A failure that further
    samples would meet as well (no key, offline, budget) ends the sampling.
    """
    tell, note = refused or _untold, unusable or _untold
    found: dict[str, Candidate] = {}
    agreeing: dict[str, int] = {}
    for sample in range(samples):
        try:
            request = proposal_request(
                dossier, diagnosis, feedback=feedback, attempts=attempts, sample=sample
            )
            answer = model.ask(request)
        except ModelError as error:
            tell(f"{model.name} gave no answer ({error.reason}): {error}")
            if error.reason in ("truncated", "unusable"):
                continue
            break
        except SourceUnavailable as error:
            tell(str(error))
            break
        candidate = _candidate(dossier, diagnosis, model.name, answer.text, tell, note)
        if candidate is not None:
            key = _canonical(candidate.patch.after)
            found.setdefault(key, candidate)
            agreeing[key] = agreeing.get(key, 0) + 1
    return sorted(
        (_agreed(candidate, agreeing[key]) for key, candidate in found.items()),
        key=lambda item: -item.prior,
    )


def _candidate(
    dossier: Dossier,
    diagnosis: Diagnosis,
    name: str,
    text: str,
    tell: Callable[[str], None],
    note: Callable[[str], None],
) -> Candidate | None:
    function = dossier.function
    assert function is not None  # noqa: S101 - the request could be made
    read = read_answer(text, function)
    if isinstance(read, Unusable):
        note(f"{read.reason}: {read.message}")
        tell(f"an answer of {name} is unusable ({read.reason}): {read.message}")
        return None
    weight = diagnosis.confidence if diagnosis.abstention is None else 0.0
    try:
        return make_candidate(
            dossier,
            read.code,
            origin=f"model:{name}",
            description=read.description or f"Rewrite {function.qualname} as {name} proposes",
            reason=diagnosis.root_cause,
            prior=_LEAST_PRIOR + (_MOST_PRIOR - _LEAST_PRIOR) * weight,
        )
    except PatchRefused as error:
        note(f"{error.reason}: {error}")
        tell(f"an answer of {name} is no acceptable edit ({error.reason}): {error}")
    except SourceUnavailable as error:
        note(f"source: {error}")
        tell(f"the edit of {name} can't be made: {error}")
    return None


def _function(dossier: Dossier, facts: Sequence[Fact]) -> SourceFunction:
    function = dossier.function
    if function is None:
        raise SourceUnavailable(dossier.function_missing or "the function to patch is not known")
    if len(function.text) > MAX_FUNCTION_CHARS:
        raise SourceUnavailable(
            f"{function.qualname} has {len(function.text)} characters; a model is shown functions "
            f"of at most {MAX_FUNCTION_CHARS}"
        )
    if all(fact.text != function.text for fact in facts if fact.whole):
        raise SourceUnavailable(
            f"{function.qualname} holds what looks like a secret, and is not sent to a model; "
            "move the secret out of the source"
        )
    return function


def _diagnosis_view(diagnosis: Diagnosis) -> str:
    lines = [diagnosis.root_cause]
    if diagnosis.expected_behaviour:
        lines.append(f"Expected: {diagnosis.expected_behaviour}")
    lines.extend(f"Possible remedy: {item.remedy}" for item in diagnosis.hypotheses[:2])
    if diagnosis.abstention:
        lines.append(f"Not known: {diagnosis.abstention}")
    return "\n".join(lines)


def _findings(feedback: Sequence[Verdict], attempts: Sequence[Candidate]) -> str:
    edits = {item.candidate_id: item.patch.diff for item in attempts}
    told = []
    for verdict in feedback[-_TRIED:]:
        failed = [item for item in verdict.checks if item.outcome is CheckOutcome.FAILED]
        lines = [edits.get(verdict.candidate_id, "")[:3000], verdict.summary]
        lines.extend(f"- {item.name} failed: {item.detail[:_DETAIL_CHARS]}" for item in failed)
        told.append("\n".join(line for line in lines if line))
    return "\n\n".join(told)


def _canonical(after: bytes) -> str:
    """Return what two samples that differ in layout and comments only have in common."""
    return ast.dump(ast.parse(after))


def _agreed(candidate: Candidate, samples: int) -> Candidate:
    prior = min(0.9, candidate.prior + _AGREEMENT * (samples - 1))
    return replace(candidate, prior=round(prior, 3))


def _untold(_what: str) -> None:
    """Nobody asked."""
