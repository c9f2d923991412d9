"""What botocore raises: a local endpoint answers as Amazon's services do."""

from functools import cache

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

from taxonomy_corpus.cases import Case, cases
from taxonomy_corpus.server import (
    CLOSED,
    closed_port,
    full_port,
    raw,
    server,
    silence,
    status,
    untrusted_server,
)

CASES: list[Case] = []


@cache
def session():
    return botocore.session.Session(
        session_vars={"config_file": (None, None, "/no/such/file", None),
                      "credentials_file": (None, None, "/no/such/file", None)}
    )  # fmt: skip


def client(service, url, **options):
    config = Config(
        retries={"total_max_attempts": 1}, signature_version=UNSIGNED, proxies={},
        **{"connect_timeout": 5, "read_timeout": 5, **options},
    )  # fmt: skip
    return session().create_client(
        service, region_name="eu-central-1", endpoint_url=url, config=config
    )


def dynamo(code, number=400, message="No."):
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    url = server().url(status(number, body))
    return client("dynamodb", url).describe_table(TableName="a-table")


def s3(code, number, url=None, **options):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    url = url or server().url(raw(number, body, content_type="application/xml"))
    return client("s3", url, **options).get_object(Bucket="bucket", Key="key")


def no_credentials():
    made = session().create_client(
        "s3", region_name="eu-central-1", endpoint_url=f"http://127.0.0.1:{closed_port()}"
    )
    made.get_object(Bucket="bucket", Key="key")


_DYNAMO = {
    "HTTP.LIMIT.RATE": ("ThrottlingException", "ProvisionedThroughputExceededException"),
    "HTTP.RESOURCE.CONFLICT": ("ConditionalCheckFailedException", "ResourceInUseException"),
    "HTTP.RESOURCE.NOT_FOUND": ("ResourceNotFoundException",),
    "HTTP.REQUEST.BAD": ("ValidationException",),
    "HTTP.AUTH.FORBIDDEN": ("AccessDeniedException",),
    "HTTP.AUTH.UNAUTHORIZED": ("UnrecognizedClientException", "ExpiredTokenException"),
    "DB.TRANSACTION.CONFLICT": ("TransactionConflictException",),
}
for label, names in _DYNAMO.items():
    cases(CASES, label, **{f"dynamo_{name}": lambda name=name: dynamo(name) for name in names})
_S3 = {
    "HTTP.RESOURCE.NOT_FOUND": (("NoSuchKey", 404), ("NoSuchBucket", 404)),
    "HTTP.AUTH.FORBIDDEN": (("AccessDenied", 403),),
    "HTTP.AUTH.UNAUTHORIZED": (("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403)),
    "HTTP.LIMIT.RATE": (("SlowDown", 503),),
    "HTTP.SERVER.UNAVAILABLE": (("ServiceUnavailable", 503),),
    "HTTP.SERVER.ERROR": (("InternalError", 500),),
    "HTTP.REQUEST.TIMEOUT": (("RequestTimeout", 400),),
    "HTTP.RESOURCE.CONFLICT": (("PreconditionFailed", 412),),
}
for label, answers in _S3.items():
    cases(
        CASES,
        label,
        **{
            f"s3_{name}": lambda name=name, number=number: s3(name, number)
            for name, number in answers
        },
    )
cases(CASES, "HTTP.SERVER.ERROR", dynamo_500=lambda: dynamo("InternalServerError", 500))
cases(
    CASES, "NET.CONNECTION.REFUSED",
    refused=lambda: s3("", 0, f"http://127.0.0.1:{closed_port()}"),
)  # fmt: skip
cases(CASES, "NET.CONNECTION.CLOSED", closed=lambda: s3("", 0, server().url(CLOSED)))
cases(CASES, "NET.DNS.NOT_FOUND", name=lambda: s3("", 0, "http://name.invalid"))
cases(
    CASES, "NET.READ.TIMEOUT", silence=lambda: s3("", 0, server().url(silence), read_timeout=0.05)
)
cases(
    CASES, "NET.CONNECTION.TIMEOUT",
    connecting=lambda: s3("", 0, f"http://127.0.0.1:{full_port()}", connect_timeout=0.05),
)  # fmt: skip
cases(
    CASES, "NET.TLS.CERTIFICATE",
    untrusted=lambda: s3("", 0, untrusted_server().url(status(200), scheme="https")),
)  # fmt: skip
cases(
    CASES, "SYS.CONFIG.MISSING",
    credentials=no_credentials, region=lambda: session().create_client("dynamodb"),
)  # fmt: skip
cases(
    CASES, "CODE.VALUE.INVALID",
    parameter=lambda: client("s3", "http://a").get_object(Bucket="bucket"),
    service=lambda: session().create_client("nothing", region_name="eu-central-1"),
)  # fmt: skip
