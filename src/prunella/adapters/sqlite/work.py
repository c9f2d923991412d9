"""The healer's work: diagnoses, candidates, verdicts, publications, cases; in order of saving."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from prunella.adapters.sqlite.rows import dump, load, moment, text
from prunella.codec.plain import from_tagged, to_tagged
from prunella.model.clock import to_us
from prunella.model.errors import RecordError, StoreError
from prunella.model.exchanges import ModelExchange
from prunella.model.incidents import Case, Diagnosis
from prunella.model.judgements import Judgement
from prunella.model.repair import Candidate, Publication, Verdict


def save_diagnosis(db: sqlite3.Connection, diagnosis: Diagnosis) -> None:
    db.execute(
        "INSERT OR REPLACE INTO diagnosis (diagnosis_id, incident_id, body) VALUES (?, ?, ?)",
        (diagnosis.diagnosis_id, diagnosis.incident_id, dump(diagnosis)),
    )


def diagnoses(db: sqlite3.Connection, incident_id: str) -> list[Diagnosis]:
    rows = db.execute(
        "SELECT body FROM diagnosis WHERE incident_id = ? ORDER BY seq", (text(incident_id),)
    )
    return [load(Diagnosis, body) for (body,) in rows]


def save_candidates(db: sqlite3.Connection, candidates: Sequence[Candidate]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO candidate (candidate_id, incident_id, body) VALUES (?, ?, ?)",
        [(one.candidate_id, one.incident_id, dump(one)) for one in candidates],
    )


def candidates(db: sqlite3.Connection, incident_id: str) -> list[Candidate]:
    rows = db.execute(
        "SELECT body FROM candidate WHERE incident_id = ? ORDER BY seq", (text(incident_id),)
    )
    return [load(Candidate, body) for (body,) in rows]


def save_verdicts(db: sqlite3.Connection, verdicts: Sequence[Verdict]) -> None:
    db.executemany(
        "INSERT INTO verdict (candidate_id, body) VALUES (?, ?)",
        [(one.candidate_id, json.dumps(to_tagged(one))) for one in verdicts],
    )


def verdicts(db: sqlite3.Connection, incident_id: str) -> list[Verdict]:
    rows = db.execute(
        "SELECT verdict.body FROM verdict JOIN candidate USING (candidate_id) "
        "WHERE incident_id = ? ORDER BY verdict.seq",
        (text(incident_id),),
    )
    return [_verdict(body) for (body,) in rows]


def save_judgement(db: sqlite3.Connection, judgement: Judgement) -> None:
    db.execute(
        "INSERT OR REPLACE INTO judgement (incident_id, evidence_key, body) VALUES (?, ?, ?)",
        (judgement.incident_id, judgement.evidence_key, dump(judgement)),
    )


def judgement(db: sqlite3.Connection, incident_id: str, evidence_key: str) -> Judgement | None:
    row = db.execute(
        "SELECT body FROM judgement WHERE incident_id = ? AND evidence_key = ?",
        (text(incident_id), evidence_key),
    ).fetchone()
    return None if row is None else load(Judgement, row[0])


def save_publication(db: sqlite3.Connection, publication: Publication) -> None:
    db.execute("DELETE FROM publication WHERE candidate_id = ?", (publication.candidate_id,))
    db.execute(
        "INSERT INTO publication (candidate_id, body) VALUES (?, ?)",
        (publication.candidate_id, dump(publication)),
    )


def publications(db: sqlite3.Connection, incident_id: str | None) -> list[Publication]:
    rows = db.execute(
        "SELECT publication.body FROM publication JOIN candidate USING (candidate_id) "
        "WHERE ? IS NULL OR incident_id = ? ORDER BY publication.seq",
        (incident_id and text(incident_id), incident_id and text(incident_id)),
    )
    return [load(Publication, body) for (body,) in rows]


def save_exchange(db: sqlite3.Connection, exchange: ModelExchange) -> None:
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


def exchanges(db: sqlite3.Connection, incident_id: str) -> list[ModelExchange]:
    rows = db.execute(
        "SELECT body FROM exchange WHERE incident_id = ? ORDER BY seq", (text(incident_id),)
    )
    return [load(ModelExchange, body) for (body,) in rows]


def exchanges_since(db: sqlite3.Connection, since: datetime) -> list[ModelExchange]:
    rows = db.execute(
        "SELECT body FROM exchange WHERE asked_us >= ? ORDER BY seq", (moment(to_us(since)),)
    )
    return [load(ModelExchange, body) for (body,) in rows]


def save_case(db: sqlite3.Connection, case: Case) -> None:
    db.execute(
        "INSERT OR REPLACE INTO solved_case (case_id, incident_id, origin, body) "
        "VALUES (?, ?, ?, ?)",
        (case.case_id, case.incident_id, text(case.origin), dump(case)),
    )


def cases(db: sqlite3.Connection) -> list[Case]:
    return [load(Case, body) for (body,) in db.execute("SELECT body FROM solved_case ORDER BY seq")]


def _verdict(body: str) -> Verdict:
    try:
        verdict: Verdict = from_tagged(Verdict, json.loads(body))
    except (ValueError, RecordError) as error:
        raise StoreError(f"A verdict in the store can't be read ({error})") from error
    return verdict
