"""From an incident to fixes that may heal it: templates per error code, numbers from the records."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from prunella.fixes import parse
from prunella.model.errors import FixError
from prunella.model.hypotheses import Experience, FixHypothesis
from prunella.model.incidents import Incident
from prunella.propose.fix_drafts import Draft, drafts
from prunella.propose.fix_fitting import Observed
from prunella.propose.fix_priors import posterior, types_for

#: Hypotheses of one incident, the model's included.
MOST = 8
#: A model's word alone is never sure enough to start anything by itself.
MODEL_CEILING = 0.79


def propose_fixes(
    incident: Incident, observed: Observed, experience: Iterable[Experience] = ()
) -> tuple[FixHypothesis, ...]:
    """Return the fixes that may heal an incident, the most likely first; none where none fits.

    Only fixes whose numbers the records give, or whose defaults hold without records.
    """
    known = tuple(experience)
    found: list[FixHypothesis] = []
    for fix_type in types_for(incident.error_code):
        for draft in drafts(fix_type, incident.error_code, observed):
            with suppress(FixError):  # recorded values that no document can hold
                found.append(_hypothesis(incident, observed, draft, known, len(found)))
    found.sort(key=lambda item: -item.prior)
    return tuple(found[:MOST])


def with_models_fixes(
    own: Sequence[FixHypothesis],
    answer: Iterable[Mapping[str, Any]],
    incident: Incident,
    *,
    made_by: str,
) -> tuple[tuple[FixHypothesis, ...], tuple[str, ...]]:
    """Return `own` with what a model added or ordered anew, and why parts of its answer were refused.

    Each part is an object with ``document`` (a fix document, or the ``fix_id`` of one of `own`),
    ``prior`` and ``reasoning``. It is data: what isn't valid by `prunella.fixes.parse`, aims at
    another site, or approves what only people may approve, is refused.
    """
    by_id = {str(item.document["fix_id"]): item for item in own}
    refused = []
    for number, part in enumerate(list(answer)[:MOST]):
        try:
            item = _of_model(part, by_id, incident, number, made_by)
        except (FixError, ValueError) as error:
            refused.append(f"fix {number + 1}: {error}"[:300])
        else:
            by_id[str(item.document["fix_id"])] = item
    ranked = sorted(by_id.values(), key=lambda item: -item.prior)
    return tuple(ranked[:MOST]), tuple(refused)


def _of_model(
    part: Mapping[str, Any],
    known: Mapping[str, FixHypothesis],
    incident: Incident,
    number: int,
    made_by: str,
) -> FixHypothesis:
    if not isinstance(part, Mapping):
        raise ValueError("no object")
    document, prior = part.get("document"), part.get("prior")
    reasoning = part.get("reasoning")
    if type(prior) not in (int, float) or not 0 <= prior <= 1:  # type: ignore[operator]
        raise ValueError(f"prior {prior!r:.40} is no number from 0 to 1")
    chance = min(float(prior), MODEL_CEILING)  # type: ignore[arg-type]
    text = reasoning[:1_000] if isinstance(reasoning, str) else ""
    if isinstance(document, str):
        if document not in known:
            raise ValueError(f"there is no fix {document!r:.60}")
        own = known[document]
        return _replaced(own, chance, f"{own.reasoning} {made_by}: {text}")
    if not isinstance(document, Mapping):
        raise ValueError("document is no object")
    target = {"sites": [incident.site_id], "error_codes": [incident.error_code]}
    fix_id = f"fix-{incident.incident_id.rpartition('_')[2]}-model-{number}"
    fix = parse({**document, "fix_id": fix_id, "target": target})
    if getattr(fix.config, "approved_non_idempotent", False):
        raise ValueError("approved_non_idempotent is for people to say")
    if _invents(fix.document()):
        raise ValueError("a value in place of a result is for people to say")
    return FixHypothesis(
        incident_id=incident.incident_id,
        title=fix.description[:80] or fix.fix_type,
        reasoning=text,
        document=fix.document(),
        prior=chance,
        made_by=made_by,
    )


def _invents(document: Mapping[str, Any]) -> bool:
    """Tell whether a fix makes up what the function would have returned."""
    config = document["config"]
    links = config.get("chain", ())
    return (
        any("constant" in link for link in links)
        or bool(config.get("error_map"))
        or config.get("on_fail") == "default"
    )


def _replaced(own: FixHypothesis, prior: float, reasoning: str) -> FixHypothesis:
    # What outcomes say weighs more than an opinion: it moves the estimate half-way.
    return replace(own, prior=(own.prior + prior) / 2, reasoning=reasoning)


def _hypothesis(
    incident: Incident,
    observed: Observed,
    draft: Draft,
    experience: Sequence[Experience],
    number: int,
) -> FixHypothesis:
    chance, helped, failed = posterior(
        incident.error_code, draft.fix_type, observed.site.kind, experience
    )
    document: dict[str, Any] = {
        "fix_id": f"fix-{incident.incident_id.rpartition('_')[2]}-{draft.fix_type}-{number}",
        "fix_type": draft.fix_type,
        "target": {"sites": [incident.site_id], "error_codes": [incident.error_code]},
        "incident_id": incident.incident_id,
        "description": draft.title,
        "confidence": round(chance, 3),
        "config": draft.config,
    }
    if draft.fix_type not in ("retry", "fallback"):  # the others don't act on errors
        document["target"] = {"sites": [draft.site_id or incident.site_id]}
    return FixHypothesis(
        incident_id=incident.incident_id,
        title=draft.title,
        reasoning=f"{draft.reasoning} {_experience(helped, failed)}",
        document=parse(document).document(),
        prior=chance,
        helped=helped,
        failed=failed,
    )


def _experience(helped: int, failed: int) -> str:
    if not helped + failed:
        return "No such fix was tried before; the chance is the template's."
    return f"Of {helped + failed} such fixes before, {helped} helped."
