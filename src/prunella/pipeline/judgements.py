"""What a language model was asked once isn't asked again for the same evidence.

A healer whose code host fails, or that is killed before it publishes, finds what it had proven and
goes on there. New successes are no new evidence; another text of the function, another sort of
failing input, or another model are.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b

from prunella.codec.plain import to_plain
from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.incidents import Diagnosis
from prunella.model.judgements import Judgement
from prunella.model.settings import Settings
from prunella.pipeline.results import Proposal
from prunella.ports import Store


def evidence_key(dossier: Dossier, settings: Settings) -> str:
    """Return 32 hex digits that name the evidence which a healing of `dossier` rests on."""
    function = dossier.function
    inputs = sorted({_hash(json.dumps(to_plain(item.inputs))) for item in dossier.failing})
    evidence = [
        dossier.incident.error_type,
        function.path if function else "",
        function.text if function else "",
        inputs,
        settings.model,
        settings.model_base_url,
        settings.model_rounds,
    ]
    return _hash(json.dumps(evidence))


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def remember(
    store: Store, dossier: Dossier, key: str, diagnosis: Diagnosis, proposals: Sequence[Proposal]
) -> None:
    """Keep what was found out; diagnosis, candidates and verdicts are in the store already."""
    store.save_judgement(
        Judgement(
            incident_id=dossier.incident.incident_id,
            evidence_key=key,
            diagnosis_id=diagnosis.diagnosis_id,
            candidate_ids=tuple(item.candidate.candidate_id for item in proposals),
            at=now(),
        )
    )


def recall(store: Store, dossier: Dossier, key: str) -> tuple[Diagnosis, list[Proposal]] | None:
    """Return the diagnosis and proposals that were found out for this evidence before."""
    incident_id = dossier.incident.incident_id
    judgement = store.judgement(incident_id, key)
    if judgement is None:
        return None
    diagnoses = {item.diagnosis_id: item for item in store.diagnoses(incident_id)}
    candidates = {item.candidate_id: item for item in store.candidates(incident_id)}
    verdicts = {item.candidate_id: item for item in store.verdicts(incident_id)}
    diagnosis = diagnoses.get(judgement.diagnosis_id)
    wanted = judgement.candidate_ids
    if diagnosis is None or not all(item in candidates and item in verdicts for item in wanted):
        return None
    return diagnosis, [
        Proposal(candidate=candidates[item], verdict=verdicts[item]) for item in wanted
    ]
