"""Vocabulary objects with sensible values, for tests to change what they are about."""

from datetime import UTC, datetime
from typing import Any

from prunella.model.ids import (
    CallId,
    CandidateId,
    CaseId,
    DiagnosisId,
    IncidentId,
    OccurrenceId,
    ProcessId,
    SiteId,
)
from prunella.model.incidents import (
    Case,
    Diagnosis,
    Evidence,
    Hypothesis,
    Incident,
    IncidentStatus,
    Location,
)
from prunella.model.records import Call, Ending, ExceptionInfo, Frame, Occurrence, Process, Site
from prunella.model.repair import (
    Accepted,
    Candidate,
    Check,
    CheckOutcome,
    Patch,
    ReplayCounts,
)

AT = datetime(2026, 11, 20, 12, 0, 0, 5, tzinfo=UTC)


def process(**changes: Any) -> Process:
    values: dict[str, Any] = {
        "process_id": ProcessId("proc_1"),
        "pid": 1,
        "started_at": AT,
        "python_version": "3.11.7",
        "executable": "/usr/bin/python3",
        "sys_path": ("/srv/shop",),
        "root": "/srv/shop",
        "cwd": "/srv/shop",
        "argv": ("app.py",),
        "hostname": "host",
        "prunella_version": "0",
    }
    return Process(**(values | changes))


def site(**changes: Any) -> Site:
    values: dict[str, Any] = {
        "site_id": SiteId("shop.prices:average"),
        "module": "shop.prices",
        "qualname": "average",
        "file": "shop/prices.py",
        "first_line": 3,
        "source_hash": "00",
        "parameters": ("values",),
    }
    return Site(**(values | changes))


def frame(**changes: Any) -> Frame:
    values: dict[str, Any] = {
        "file": "shop/prices.py",
        "module": "shop.prices",
        "qualname": "average",
        "first_line": 3,
        "line": 4,
        "position": (4, 4, 11, 36),
        "in_project": True,
        "local_values": ["d", "values", ["l"]],
    }
    return Frame(**(values | changes))


def exception(**changes: Any) -> ExceptionInfo:
    values: dict[str, Any] = {
        "type": "builtins:ZeroDivisionError",
        "mro": (
            "builtins:ZeroDivisionError",
            "builtins:ArithmeticError",
            "builtins:Exception",
            "builtins:BaseException",
        ),
        "message": "division by zero",
        "frames": (frame(),),
    }
    return ExceptionInfo(**(values | changes))


def occurrence(**changes: Any) -> Occurrence:
    values: dict[str, Any] = {
        "occurrence_id": OccurrenceId("occ_1"),
        "group": "1",
        "site_id": SiteId("shop.prices:average"),
        "source_hash": "00",
        "process_id": ProcessId("proc_1"),
        "trace_id": "t1",
        "call_id": CallId("call_9"),
        "started_at": AT,
        "duration_us": 12,
        "ending": Ending.ERROR,
        "exception": exception(),
        "inputs": ["d", "values", ["l"]],
        "complete": True,
    }
    return Occurrence(**(values | changes))


def call(**changes: Any) -> Call:
    values: dict[str, Any] = {
        "call_id": CallId("call_1"),
        "site_id": SiteId("shop.prices:average"),
        "source_hash": "00",
        "process_id": ProcessId("proc_1"),
        "trace_id": "t0",
        "started_at": AT,
        "duration_us": 7,
        "inputs": ["d", "values", ["l", 2, 4]],
        "result": 3.0,
        "complete": True,
    }
    return Call(**(values | changes))


def incident(**changes: Any) -> Incident:
    values: dict[str, Any] = {
        "incident_id": IncidentId("inc_1"),
        "fingerprint": "f1",
        "scheme": "1",
        "site_id": SiteId("shop.prices:average"),
        "error_type": "builtins:ZeroDivisionError",
        "error_code": "CODE.ARITHMETIC.ZERO",
        "message": "division by zero",
        "location": Location(
            file="shop/prices.py",
            module="shop.prices",
            qualname="average",
            first_line=3,
            line=4,
        ),
        "status": IncidentStatus.OPEN,
        "count": 3,
        "first_seen_at": AT,
        "last_seen_at": AT,
    }
    return Incident(**(values | changes))


def diagnosis(**changes: Any) -> Diagnosis:
    values: dict[str, Any] = {
        "diagnosis_id": DiagnosisId("dia_1"),
        "incident_id": IncidentId("inc_1"),
        "error_type": "ZeroDivisionError",
        "error_code": "CODE.ARITHMETIC.ZERO",
        "root_cause": "`values` is empty.",
        "hypotheses": (
            Hypothesis(
                cause="`values` is empty.",
                remedy="Return early.",
                prior=0.6,
                evidence=(
                    Evidence(statement="`values` was [] in all 3 failures", reference="occ_1"),
                ),
            ),
        ),
        "confidence": 0.6,
        "made_at": AT,
    }
    return Diagnosis(**(values | changes))


def case(**changes: Any) -> Case:
    values: dict[str, Any] = {
        "case_id": CaseId("case_1"),
        "incident_id": IncidentId("inc_0"),
        "error_type": "builtins:ZeroDivisionError",
        "error_code": "CODE.ARITHMETIC.ZERO",
        "function": "shop.prices:average",
        "message": "division by zero",
        "root_cause": "`values` is empty.",
        "resolution": "Return 0.0 when `values` is empty.",
        "origin": "rule:empty_guard",
        "diff": "",
        "learned_at": AT,
    }
    return Case(**(values | changes))


def candidate(**changes: Any) -> Candidate:
    values: dict[str, Any] = {
        "candidate_id": CandidateId("cand_1"),
        "incident_id": IncidentId("inc_1"),
        "origin": "rule:empty_guard",
        "description": "Return 0.0 when `values` is empty.",
        "reason": "A sibling does the same.",
        "patch": Patch(
            path="shop/prices.py",
            qualname="average",
            before=b"before\n",
            after=b"after\n",
            diff="--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -1 +1 @@\n-before\n+after\n",
        ),
        "prior": 0.5,
    }
    return Candidate(**(values | changes))


def accepted(**changes: Any) -> Accepted:
    values: dict[str, Any] = {
        "candidate_id": CandidateId("cand_1"),
        "checks": (
            Check(name="failing_calls", outcome=CheckOutcome.PASSED, detail="3 of 3 return"),
            Check(name="tests", outcome=CheckOutcome.NOT_SHOWN, detail="no tests were found"),
        ),
        "replays": ReplayCounts(
            failing_reproduced=3, failing_healed=3, passing_reproduced=5, passing_equal=5
        ),
        "summary": "3 failing calls no longer fail; 5 passing calls return the equal result.",
        "score": 0.7,
        "judged_at": AT,
    }
    return Accepted(**(values | changes))
