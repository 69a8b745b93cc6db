# SPDX-License-Identifier: MIT
"""One schema, two readers: ``contract.load`` in Blender and pydantic on the server agree on every document."""

import json
import string
import typing
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from addon.protocol.answers import Achieved, Connection, Event, Health, Job, ModelInfo, Problem, Scope
from addon.protocol.blockout import Blockout, Frame, Mask, Region, pack_mask
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import Added, ContractError, Length, Range, dump, load, loads

RECORDS = [Achieved, Blockout, Connection, Event, Frame, Health, Job, Mask, ModelInfo, Problem, Region, Scope]
ADAPTERS = {kind: TypeAdapter(kind) for kind in RECORDS}

masks = st.builds(
    lambda width, height, value: pack_mask(width, height, bytes([value]) * (width * height)),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 255),
)


def values(kind):
    """Valid JSON values of a type of the contract."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Mask:
        return masks.map(dump)
    if kind is Frame:
        return st.just({"left": 0, "top": 0, "width": 16, "height": 16})
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        return st.fixed_dictionaries({field.name: values(hints[field.name]) for field in fields(kind)})
    if origin is Annotated:
        return marked(arguments[0], arguments[1])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=2)
    if origin is tuple:
        return st.tuples(*map(values, arguments)).map(list)
    if arguments:
        return st.none() | values(arguments[0])
    numbers = {int: st.integers(0, 9), float: st.floats(allow_nan=False, allow_infinity=False)}
    plain = {**numbers, str: st.text(), bool: st.booleans()}
    return plain[kind]


def marked(kind, marker):
    """Values inside a marker's bounds."""
    match marker:
        case Added():
            return values(kind)
        case Range(low, high) if kind is int:
            return st.integers(int(low), int(high))
        case Range(low, high):
            return st.floats(low, high) | st.integers(int(low), int(high))
        case Length(low, high) if kind is str:
            return st.text(min_size=low, max_size=min(high, low + 5))
        case Length(low, high):
            return st.lists(values(typing.get_args(kind)[0]), min_size=low, max_size=min(high, low + 2))


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from([2**31, -1, 1.0, "1", 10**400, "\ud800", "shape", 256, 257]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_lowercase, max_size=5), inner),
    max_leaves=5,
)


def places(document, path=()):
    """The path of every value inside a document."""
    yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from places(value, (*path, key))


def changed(document, path, value, act):
    """The document with one value replaced, removed, or given a stranger for a neighbour."""
    if not path:
        return value if act == "replace" else document
    copy = dict(document) if isinstance(document, dict) else list(document)
    key, *rest = path
    if rest:
        copy[key] = changed(copy[key], rest, value, act)
    elif act == "replace":
        copy[key] = value
    elif act == "remove":
        del copy[key]
    elif isinstance(copy, dict):
        copy[f"{key}_"] = value
    return copy


@st.composite
def documents(draw):
    """A kind of record, and a document that is one, or that was one before a little accident."""
    kind = draw(st.sampled_from(RECORDS))
    document = draw(values(kind))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(list(places(document))))
        document = changed(document, path, draw(junk), draw(st.sampled_from(["replace", "remove", "add"])))
    return kind, document


def ours(kind, document):
    try:
        return load(kind, document)
    except ContractError:
        return None


def pydantics(kind, document):
    try:
        return ADAPTERS[kind].validate_json(json.dumps(document))
    except ValidationError:
        return None


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_two_readers_one_verdict(case):
    kind, document = case
    assert ours(kind, document) == pydantics(kind, document)


@pytest.mark.parametrize("kind", RECORDS)
def test_good_documents_are_read_and_come_back(kind):
    @settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
    @given(values(kind))
    def check(document):
        record = load(kind, document)
        assert load(kind, dump(record)) == record
        assert loads(kind, ADAPTERS[kind].dump_json(record)) == record

    check()


@pytest.mark.parametrize("kind", RECORDS)
def test_every_field_is_needed_or_has_a_default(kind):
    document = dump(EXAMPLES[kind])
    for field in fields(kind):
        rest = {name: value for name, value in document.items() if name != field.name}
        if field.default is MISSING:
            with pytest.raises(ContractError, match=f"{field.name}: is missing"):
                load(kind, rest)
        else:
            assert load(kind, rest) is not None


MASK = pack_mask(2, 2, b"\x00\x80\xff\x01")
REGION = Region(name="a", phrase="a", mask=MASK, centroid=(0.5, 0.5), size=0.1, visible=1.0, depth=0)
FRAME = Frame(left=0, top=0, width=16, height=16)
EXAMPLES = {
    Achieved: Achieved(name="a", by="judge", mask=MASK, centroid=(0.5, 0.5), size=0.1),
    Mask: MASK,
    Region: REGION,
    Frame: FRAME,
    ModelInfo: TOYBOX,
    Scope: Scope(scope="all"),
    Connection: Connection(address="http://127.0.0.1:1", token="t", version="1"),
    Health: Health(version="1", contract=1, device="", model="", queued=0, running=0),
    Problem: Problem(type="t", title="t", status=404, detail=""),
    Event: Event(id=1, job="j", sequence=1, kind="state", state="done", phase="", step=0, steps=1, artifact=None),
    Job: Job(
        id="j",
        state="queued",
        sequence=1,
        created=1.0,
        phase="",
        step=0,
        steps=1,
        artifacts=(),
        problem=None,
        model="m",
        prompt="p",
        seed=0,
    ),
    Blockout: Blockout(
        prompt="a",
        regions=(REGION,),
        width=16,
        height=16,
        frame=FRAME,
        seed=0,
        model="m",
        steps=1,
        strength=1.0,
        scale=1.0,
    ),
}


@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        ({"seed": True}, "seed", "must be int, is bool"),
        ({"seed": 1.0}, "seed", "must be int, is float"),
        ({"seed": 2**31}, "seed", "0 to 2147483647"),
        ({"strength": float("nan")}, "strength", "finite"),
        ({"strength": 10**400}, "strength", "finite"),
        ({"strength": 1.01}, "strength", "0.0 to 1.0"),
        ({"version": 2}, "version", "1 to 1"),
        ({"version": True}, "version", "bool"),
        ({"prompt": ""}, "prompt", "length"),
        ({"prompt": "\ud800"}, "prompt", "surrogate"),
        ({"regions": {}}, "regions", "list"),
        ({"regions": [1]}, "regions.0", "object"),
        ({"regions": [{**dump(REGION), "centroid": [0.5]}]}, "regions.0.centroid", "2 items"),
        ({"regions": [{**dump(REGION), "centroid": [0.5, 2.0]}]}, "regions.0.centroid.1", "0.0 to 1.0"),
        ({"regions": [{**dump(REGION), "enforce": ["colour"]}]}, "regions.0.enforce.0", "one of 'shape'"),
        ({"regions": [{**dump(REGION), "mask": {**dump(MASK), "width": 3}}]}, "regions.0.mask.data", "3 x 2 bytes"),
        ({"frame": {**dump(FRAME), "left": 1}}, "frame", "outside the 16 x 16 picture"),
        ({"colour": "red"}, "colour", "is unknown in Blockout"),
    ],
)
def test_faults_are_named(change, path, problem):
    with pytest.raises(ContractError, match=problem) as caught:
        load(Blockout, {**dump(EXAMPLES[Blockout]), **change})
    assert caught.value.path == path


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, "1" * 5000, "nul"])
def test_what_is_no_json(text):
    with pytest.raises(ContractError):
        loads(Blockout, text)
