"""What parsers and pydantic raise."""

import base64
import binascii
import csv
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import tomllib
import xml.etree.ElementTree as ElementTree
import xml.sax
import zipfile
import zlib
from configparser import ConfigParser
from enum import Enum
from typing import Literal
from xml.dom import minidom

import pydantic
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, validate_call

from taxonomy_corpus.cases import Case, cases

CASES: list[Case] = []


class Colour(Enum):
    RED = "red"


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = Field(gt=0, le=100)
    name: str = Field(default="a", max_length=5, pattern="^[a-z]*$")
    state: Literal["open", "paid"] = "open"
    colour: Colour = Colour.RED
    price: float = 1.0
    lines: list[str] = []


class Even(BaseModel):
    number: int

    @pydantic.field_validator("number")
    @classmethod
    def check(cls, value):
        if value % 2:
            raise ValueError("odd")
        return value


@validate_call
def pay(amount: int):
    return amount


def give_back(text):
    return next(csv.reader([text], strict=True))


class NoSchema:
    pass


cases(
    CASES, "OUTPUT.JSON.ABSENT",
    empty=lambda: json.loads(""), prose=lambda: json.loads("Sure! Here is the JSON: {}"),
    fenced=lambda: json.loads("```json\n{}\n```"), stream=lambda: json.load(io.StringIO("<html>")),
)  # fmt: skip
cases(
    CASES, "OUTPUT.JSON.MALFORMED",
    trailing_comma=lambda: json.loads('{"a": 1,}'), single_quotes=lambda: json.loads("{'a': 1}"),
    extra=lambda: json.loads("{} {}"), control=lambda: json.loads('"a\nb"'),
    of_pydantic=lambda: Order.model_validate_json('{"number": 1,}'),
    escape=lambda: json.loads(r'"\x"'),
)  # fmt: skip
cases(
    CASES, "OUTPUT.JSON.TRUNCATED",
    cut_in_a_text=lambda: json.loads('{"a": "unfinis'),
)  # fmt: skip
cases(
    CASES, "OUTPUT.SCHEMA.MISSING_FIELD",
    missing=lambda: Order.model_validate({}), missing_json=lambda: Order.model_validate_json("{}"),
    init=lambda: Order(name="a"),
)  # fmt: skip
cases(
    CASES, "OUTPUT.SCHEMA.WRONG_TYPE",
    parsing=lambda: Order(number="many"), string=lambda: Order(number=1, name=3),
    float_parsing=lambda: Order(number=1, price="dear"), not_a_list=lambda: Order(number=1, lines=3),
    adapter=lambda: TypeAdapter(list[int]).validate_python("abc"), fraction=lambda: Order(number=1.5),
    call=lambda: pay("much"), many=lambda: TypeAdapter(list[int]).validate_python(["x"] * 30),
    not_a_model=lambda: Order.model_validate(3),
)  # fmt: skip
cases(
    CASES, "OUTPUT.SCHEMA.OUT_OF_RANGE",
    too_small=lambda: Order(number=0), too_large=lambda: Order(number=101),
    too_long=lambda: Order(number=1, name="abcdef"), literal=lambda: Order(number=1, state="lost"),
    enum=lambda: Order(number=1, colour="blue"), pattern=lambda: Order(number=1, name="A"),
)  # fmt: skip
cases(
    CASES, "OUTPUT.SCHEMA.INVALID",
    own_validator=lambda: Even(number=3), extra_field=lambda: Order(number=1, other=2),
)  # fmt: skip
cases(
    CASES, "CODE.TYPE.MISMATCH",
    no_schema=lambda: TypeAdapter(NoSchema), unserialisable=lambda: TypeAdapter(object).dump_json(NoSchema()),
)  # fmt: skip
cases(
    CASES, "OUTPUT.TEXT.ENCODING",
    utf8=lambda: b"\xff\xfe".decode(), ascii=lambda: b"\xe4".decode("ascii"),
    file=lambda: io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8").read(),
)  # fmt: skip
cases(
    CASES, "OUTPUT.MARKUP.MALFORMED",
    tree=lambda: ElementTree.fromstring("<a>"), dom=lambda: minidom.parseString("<a><b></a>"),
    sax=lambda: xml.sax.parseString(b"<a", xml.sax.ContentHandler()),
)  # fmt: skip
cases(
    CASES, "OUTPUT.DATA.MALFORMED",
    toml=lambda: tomllib.loads("a ="), csv=lambda: give_back('"a"b'), gz=lambda: gzip.decompress(b"no"),
    zip=lambda: zipfile.ZipFile(io.BytesIO(b"no")), tar=lambda: tarfile.open(fileobj=io.BytesIO(b"no")),
    zlib=lambda: zlib.decompress(b"no"), lzma=lambda: lzma.decompress(b"no"),
    struct=lambda: struct.unpack("<I", b"ab"), base64=lambda: base64.b64decode("abc", validate=True),
    pickle=lambda: pickle.loads(b"no"), hex=lambda: binascii.unhexlify("a"),  # noqa: S301
    ini=lambda: ConfigParser().read_string("a = 1"), cut_pickle=lambda: pickle.loads(b""),  # noqa: S301
)  # fmt: skip
