# SPDX-License-Identifier: MIT
"""Law 10 by construction: fields are only added, with defaults, and what a reader does not know it refuses by name."""

import copy
import json
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated

import pytest
from pydantic import TypeAdapter

import addon
from addon.protocol.strict_json import Added, ContractError, Length, Record, UnknownField, dump, load, loads
from tests.releases.records import RECORDS, RELEASES, additions, breaches, is_added, record_fields


@dataclass(frozen=True, kw_only=True)
class Point(Record):
    """A record of release 1, with two fields that came with release 2."""

    x: float
    y: float = 0.0
    weight: Annotated[float, Added("2")] = 1.0
    names: Annotated[tuple[str, ...], Length(0, 3), Added("2")] = ()


def listed(release) -> dict:
    return json.loads((release / "records.json").read_text("utf-8"))


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_no_field_is_removed_renamed_retyped_or_given_another_meaning(release) -> None:
    assert breaches(listed(release), record_fields()) == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_a_field_that_came_later_says_so(release) -> None:
    """Or it would be written where nothing new is said, and an earlier release could not read that."""
    silent = [f"{name}.{field}" for name, field in additions(listed(release), record_fields())]
    assert [pair for pair in silent if not is_added(*pair.split("."))] == [], 'mark them: Annotated[…, Added("…")]'


def test_every_record_is_listed() -> None:
    names = [module.name for module in walk_packages(addon.__path__, "addon.") if module.name != "addon.__main__"]
    values = [value for name in names for value in vars(import_module(name)).values()]
    records = {value for value in values if isinstance(value, type) and issubclass(value, Record)} - {Record}
    assert records <= set(RECORDS.values())
    assert all(set(listed(release)) <= set(RECORDS) for release in RELEASES)
    assert len(RELEASES) >= 1


BREACHES = {
    "region.phrase is gone": lambda now: now["region"].pop("phrase"),
    "region is gone": lambda now: now.pop("region"),
    "region.words is new and has no default": lambda now: now["region"].update(words={"value": {"type": "str"}}),
    "region.depth was {'type': 'int', 'range': [0, 10000]}, is {'type': 'float', 'range': [0, 10000]}": (
        lambda now: now["region"]["depth"]["value"].update(type="float")
    ),
    "region.depth was {'type': 'int', 'range': [0, 10000]}, is {'type': 'int', 'range': [0, 100]}": (
        lambda now: now["region"]["depth"]["value"].update(range=[0, 100])
    ),
    "region.enforce no longer means ['shape'] where it is absent": (
        lambda now: now["region"]["enforce"].update(default=[])
    ),
    "blockout.negative no longer means '' where it is absent": lambda now: now["blockout"]["negative"].pop("default"),
    "job.problem was {'optional': {'record': 'problem'}}, is {'record': 'problem'}": (
        lambda now: now["job"]["problem"].update(value={"record": "problem"})
    ),
    "scope.scope was {'one of': ['waiting', 'all']}, is {'one of': ['all']}": (
        lambda now: now["scope"]["scope"]["value"].update({"one of": ["all"]})
    ),
    "job.artifacts was {'list': {'record': 'artifact'}}, is {'list': {'record': 'mask'}}": (
        lambda now: now["job"]["artifacts"].update(value={"list": {"record": "mask"}})
    ),
    "region.name was {'type': 'str', 'length': [1, 200]}, is {'type': 'str', 'length': [1, 100]}": (
        lambda now: now["region"]["name"]["value"].update(length=[1, 100])
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_the_law_catches(breach: str) -> None:
    now = copy.deepcopy(record_fields())
    BREACHES[breach](now)
    assert breach in breaches(record_fields(), now)


GROWTHS = {
    "a field": lambda now: now["region"].update(points={"value": {"list": {"type": "float"}}, "default": []}),
    "a wider range": lambda now: now["region"]["depth"]["value"].update(range=[0, 20_000]),
    "no range": lambda now: now["region"]["depth"]["value"].pop("range"),
    "a choice": lambda now: now["scope"]["scope"]["value"].update({"one of": ["waiting", "all", "mine"]}),
    "a default": lambda now: now["region"]["size"].update(default=0.0),
    "none as a value": lambda now: now["region"]["size"].update(value={"optional": now["region"]["size"]["value"]}),
    "a record": lambda now: now.update(guide={"x": {"value": {"type": "float"}}}),
}


@pytest.mark.parametrize("growth", GROWTHS)
def test_the_law_allows(growth: str) -> None:
    now = copy.deepcopy(record_fields())
    GROWTHS[growth](now)
    assert now != record_fields() and breaches(record_fields(), now) == []


def test_what_says_nothing_new_is_written_as_before() -> None:
    assert dump(Point(x=1.0)) == {"x": 1.0, "y": 0.0}
    assert dump(Point(x=1.0, weight=2.0, names=("a",))) == {"x": 1.0, "y": 0.0, "weight": 2.0, "names": ["a"]}
    for document in ({"x": 1.0}, {"x": 1.0, "names": ["a"]}):
        point = load(Point, document)
        assert loads(Point, json.dumps(dump(point))) == point
        assert TypeAdapter(Point).validate_json(json.dumps(document)) == point
    with pytest.raises(ContractError, match=r"names: length"):
        load(Point, {"x": 1.0, "names": ["a"] * 4})


def test_what_a_reader_does_not_know_is_refused_by_name() -> None:
    blockout = json.loads((RELEASES[0] / "blockouts" / "every-field.blockout.json").read_text("utf-8"))
    blockout["regions"][1]["mask"]["depth"] = 8
    with pytest.raises(UnknownField) as refused:
        load(RECORDS["blockout"], blockout)
    assert (refused.value.path, refused.value.record) == ("regions.1.mask.depth", "Mask")
    assert str(refused.value) == "regions.1.mask.depth: is unknown in Mask"
