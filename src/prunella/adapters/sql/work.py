"""The healer's work: diagnoses, candidates, verdicts, publications, cases; in order of saving."""

import json
from collections.abc import Sequence
from datetime import datetime

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, moment, text
from prunella.codec.plain import from_tagged, to_tagged
from prunella.model.clock import to_us
from prunella.model.errors import RecordError, StoreError
from prunella.model.exchanges import ModelExchange
from prunella.model.incidents import Case, Diagnosis
from prunella.model.judgements import Judgement
from prunella.model.repair import Candidate, Publication, Verdict


def save_diagnosis(db: Connection, diagnosis: Diagnosis) -> None:
    db.execute("DELETE FROM diagnosis WHERE diagnosis_id = ?", (diagnosis.diagnosis_id,))
    db.execute(
        "INSERT INTO diagnosis (diagnosis_id, incident_id, body) VALUES (?, ?, ?)",
        (diagnosis.diagnosis_id, diagnosis.incident_id, dump(diagnosis)),
    )


def diagnoses(db: Connection, incident_id: str) -> list[Diagnosis]:
    rows = db.execute(
        "SELECT body FROM diagnosis WHERE incident_id = ? ORDER BY seq", (text(incident_id),)
    )
    return [load(Diagnosis, body) for (body,) in rows]


def save_candidates(db: Connection, candidates: Sequence[Candidate]) -> None:
    last = {one.candidate_id: one for one in candidates}
    db.executemany("DELETE FROM candidate WHERE candidate_id = ?", [(name,) for name in last])
    db.executemany(
        "INSERT INTO candidate (candidate_id, incident_id, body) VALUES (?, ?, ?)",
        [(one.candidate_id, one.incident_id, dump(one)) for one in last.values()],
    )


def candidates(db: Connection, incident_id: str) -> list[Candidate]:
    rows = db.execute(
        "SELECT body FROM candidate WHERE incident_id = ? ORDER BY seq", (text(incident_id),)
    )
    return [load(Candidate, body) for (body,) in rows]


def save_verdicts(db: Connection, verdicts: Sequence[Verdict]) -> None:
    db.executemany(
        "INSERT INTO verdict (candidate_id, body) VALUES (?, ?)",
        [(one.candidate_id, json.dumps(to_tagged(one))) for one in verdicts],
    )
    for one in verdicts:
        _rest_on(db, one.candidate_id, one.replays.reproduced)


def verdicts(db: Connection, incident_id: str) -> list[Verdict]:
    rows = db.execute(
        "SELECT verdict.body FROM verdict JOIN candidate USING (candidate_id) "
        "WHERE incident_id = ? ORDER BY verdict.seq",
        (text(incident_id),),
    )
    return [_verdict(body) for (body,) in rows]


def save_judgement(db: Connection, judgement: Judgement) -> None:
    db.execute(
        "INSERT INTO judgement (incident_id, evidence_key, body) VALUES (?, ?, ?) "
        "ON CONFLICT (incident_id, evidence_key) DO UPDATE SET body = excluded.body",
        (judgement.incident_id, judgement.evidence_key, dump(judgement)),
    )


def judgement(db: Connection, incident_id: str, evidence_key: str) -> Judgement | None:
    row = db.execute(
        "SELECT body FROM judgement WHERE incident_id = ? AND evidence_key = ?",
        (text(incident_id), evidence_key),
    ).fetchone()
    return None if row is None else load(Judgement, row[0])


def save_publication(db: Connection, publication: Publication) -> None:
    db.execute("DELETE FROM publication WHERE candidate_id = ?", (publication.candidate_id,))
    db.execute(
        "INSERT INTO publication (candidate_id, body) VALUES (?, ?)",
        (publication.candidate_id, dump(publication)),
    )


def publications(db: Connection, incident_id: str | None) -> list[Publication]:
    rows = db.execute(
        "SELECT publication.body FROM publication JOIN candidate USING (candidate_id) "
        "WHERE ? IS NULL OR incident_id = ? ORDER BY publication.seq",
        (incident_id and text(incident_id), incident_id and text(incident_id)),
    )
    return [load(Publication, body) for (body,) in rows]


def save_exchange(db: Connection, exchange: ModelExchange) -> None:
    db.execute(
        "INSERT INTO exchange (exchange_id, incident_id, asked_us, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (exchange_id) DO UPDATE SET body = excluded.body",
        (
            exchange.exchange_id,
            exchange.incident_id,
            moment(to_us(exchange.asked_at)),
            dump(exchange),
        ),
    )


def exchanges(db: Connection, incident_id: str) -> list[ModelExchange]:
    rows = db.execute(
        "SELECT body FROM exchange WHERE incident_id = ? ORDER BY seq", (text(incident_id),)
    )
    return [load(ModelExchange, body) for (body,) in rows]


def exchanges_since(db: Connection, since: datetime) -> list[ModelExchange]:
    rows = db.execute(
        "SELECT body FROM exchange WHERE asked_us >= ? ORDER BY seq", (moment(to_us(since)),)
    )
    return [load(ModelExchange, body) for (body,) in rows]


def save_case(db: Connection, case: Case) -> None:
    values = (case.case_id, case.incident_id, text(case.origin))
    db.execute(
        "DELETE FROM evidence WHERE owner_id IN (SELECT case_id FROM solved_case "
        "WHERE case_id = ? OR (incident_id = ? AND origin = ?))",
        values,
    )
    db.execute(
        "DELETE FROM solved_case WHERE case_id = ? OR (incident_id = ? AND origin = ?)", values
    )
    db.execute(
        "INSERT INTO solved_case (case_id, incident_id, origin, body) VALUES (?, ?, ?, ?)",
        (*values, dump(case)),
    )
    _rest_on(db, case.case_id, case.rests_on)


def cases(db: Connection) -> list[Case]:
    return [load(Case, body) for (body,) in db.execute("SELECT body FROM solved_case ORDER BY seq")]


def _rest_on(db: Connection, owner_id: str, record_ids: Sequence[str]) -> None:
    """Remember which recorded calls and occurrences may not be forgotten while this stands."""
    db.executemany(
        "INSERT INTO evidence (owner_id, record_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(owner_id, text(record_id)) for record_id in record_ids],
    )


def _verdict(body: str) -> Verdict:
    try:
        verdict: Verdict = from_tagged(Verdict, json.loads(body))
    except (ValueError, RecordError) as error:
        raise StoreError(f"A verdict in the store can't be read ({error})") from error
    return verdict
