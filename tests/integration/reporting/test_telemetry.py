"""The real clients of OpenTelemetry and Sentry, against a real server."""

import subprocess
import sys
import textwrap

import pytest

from doubles.report_server import until
from prunella.adapters.sqlite_store import open_store
from prunella.model.records import SiteKind

SHOP = """
class Sold(Exception):
    pass

def price(order):
    password = "hunter2-hunter2"
    return order["price"] * 2

def pay(order):
    try:
        return price(order)
    except KeyError as error:
        raise Sold(f"no price in {len(order)} fields, token=sk-abcdefghijklmnopqrstuvwxyz123456") from error
"""


def run(tmp_path, text):
    folder = tmp_path / "app"
    folder.mkdir(exist_ok=True)
    (folder / "shop.py").write_text(SHOP)
    (folder / "program.py").write_text(textwrap.dedent(text))
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


class Seen:
    """What the server has made of it."""

    def __init__(self, server):
        self.store = open_store(server.root / ".prunella" / "prunella.db", create=True)

    def incidents(self, number, total=None):
        def found():
            items = self.store.incidents()
            counted = sum(item.count for item in items)
            return items if len(items) == number and counted == (total or number) else None

        return {item.site_id: item for item in until(found, what=f"{number} incidents")}

    def occurrence(self, incident):
        return self.store.occurrences(incident.incident_id, limit=10)[0]

    def sites(self):
        return {site.site_id: site for site in self.store.sites()}


@pytest.fixture
def seen(server):
    server.start()
    found = Seen(server)
    yield found
    found.store.close()


SENTRY = """
    import sentry_sdk, shop
    sentry_sdk.init(dsn="http://somekey@127.0.0.1:{port}/1", release="shop@1.2", environment="test",
                    traces_sample_rate=1.0, server_name="box", auto_enabling_integrations=False)
    with sentry_sdk.start_transaction(name="checkout"):
        for n in range(5):
            try:
                shop.pay({{"id": n}})
            except shop.Sold as error:
                sentry_sdk.capture_exception(error)
    sentry_sdk.capture_message("hello")
    sentry_sdk.flush(10)
"""


def test_a_program_of_sentry_only_changes_its_dsn(tmp_path, server, seen):
    """Exceptions of sentry-sdk are incidents with frames, locals, causes, release; no secret is kept."""
    run(tmp_path, SENTRY.format(port=server.port))
    incident = seen.incidents(1, total=5)["shop:pay"]
    assert incident.error_type == "shop:Sold"
    found = seen.occurrence(incident)
    assert [frame.qualname for frame in found.exception.frames] == ["<module>", "pay"]
    cause = found.exception.cause
    assert (cause.type, cause.message) == ("builtins:KeyError", "'price'")
    assert [(f.qualname, f.in_project) for f in cause.frames] == [("pay", True), ("price", True)]
    process = seen.store.process(found.process_id)
    assert (process.release, process.environment, process.hostname) == ("shop@1.2", "test", "box")
    kept = (server.root / ".prunella" / "prunella.db").read_bytes()
    for wal in (server.root / ".prunella").glob("prunella.db-*"):
        kept += wal.read_bytes()
    assert b"hunter2-hunter2" not in kept
    assert b"abcdefghijklmnopqrstuvwxyz" not in kept


OTEL = """
    import logging, shop
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Status, StatusCode

    base, headers = "http://127.0.0.1:{port}", {{"x-prunella-key": "k"}}
    resource = Resource.create({{"service.name": "shop", "service.version": "1.3",
                                "deployment.environment.name": "test"}})
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(
        endpoint=base + "/v1/traces", headers=headers, compression=Compression.Gzip)))
    tracer = spans.get_tracer("shop")
    for n in range(5):
        try:
            with tracer.start_as_current_span("checkout"):
                with tracer.start_as_current_span("pay", attributes={{"order.id": n}}):
                    shop.pay({{"id": n}})
        except shop.Sold:
            pass
    with tracer.start_as_current_span("chat gpt-4o", attributes={{
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "error.type": "openai.RateLimitError"}}) as span:
        span.set_status(Status(StatusCode.ERROR, "slow down"))
    with tracer.start_as_current_span("fine"):
        pass
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(
        endpoint=base + "/v1/logs", headers=headers)))
    log = logging.getLogger("shop.jobs")
    log.addHandler(LoggingHandler(logger_provider=logs))
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("job failed")
    log.error("no exception")
    spans.shutdown()
    logs.shutdown()
"""


def test_exceptions_that_opentelemetry_exports_become_incidents(tmp_path, server, seen):
    """Exceptions in spans and logs and failed GenAI spans are incidents, where they began and once."""
    run(tmp_path, OTEL.format(port=server.port))
    found = seen.incidents(3, total=7)
    pay = seen.occurrence(found["shop:pay"])
    assert (pay.exception.type, pay.exception.cause.type) == ("shop:Sold", "builtins:KeyError")
    assert "abcdefghijklmnopqrstuvwxyz" not in pay.exception.message
    assert pay.exception.frames[-1].qualname == "pay"
    process = seen.store.process(pay.process_id)
    assert (process.release, process.environment) == ("1.3", "test")
    chat = found["shop:chat gpt-4o"]
    assert chat.error_type == "openai:RateLimitError"
    assert seen.sites()["shop:chat gpt-4o"].kind is SiteKind.LLM
    (log,) = [item for site, item in found.items() if site.endswith(":<module>")]
    assert log.error_type == "builtins:ZeroDivisionError"
