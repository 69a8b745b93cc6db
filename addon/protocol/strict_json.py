# SPDX-License-Identifier: MIT
"""Strict reading: JSON values into frozen dataclasses and back, with the path to the first fault.

Standard library only, for Blender's Python has no pydantic. The same annotations drive pydantic on the server: the
markers ``Range`` and ``Length`` speak its core schema, and ``Record`` carries its configuration.
"""

import json
import math
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ContractError(ValueError):
    """A document that is not the record it claims to be.

    ``path`` leads to the fault ("regions.0.mask.width"; empty for the whole document), ``problem`` says what is wrong.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path, self.problem = path, problem


class UnknownField(ContractError):
    """A document with a field that its reader does not know: a later version wrote it, or a hand that slipped.

    ``path`` ends with the field's name; ``record`` is the record that has no such field.
    """

    def __init__(self, path: str, record: str) -> None:
        super().__init__(path, f"is unknown in {record}")
        self.record = record


@dataclass(frozen=True)
class Range:
    """Marks a number: ``low <= value <= high``."""

    low: float
    high: float

    def check(self, value: Any) -> None:
        """Raises ContractError for a number outside."""
        if not self.low <= value <= self.high:
            raise ContractError("", f"must lie in {self.low} to {self.high}, is {value}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "ge": self.low, "le": self.high}


@dataclass(frozen=True)
class Length:
    """Marks a text or a list: ``low <= len(value) <= high``."""

    low: int
    high: int

    def check(self, value: Any) -> None:
        """Raises ContractError for what is shorter or longer."""
        if not self.low <= len(value) <= self.high:
            raise ContractError("", f"length must lie in {self.low} to {self.high}, is {len(value)}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "min_length": self.low, "max_length": self.high}


@dataclass(frozen=True)
class Added:
    """Marks a field that came after the first release, with the release it came in; it must have a default.

    The default means what documents without the field meant. It is not written out, so that a document that says
    nothing new is the one that earlier releases wrote, and they can read it.
    """

    release: str

    def check(self, value: Any) -> None:
        """Any value will do."""


@dataclass(frozen=True)
class Key:
    """Marks a field of another name in JSON than in Python. For what the add-on keeps: pydantic knows none."""

    name: str


class Record:
    """Base of every record: pydantic is as strict as ``load``. Carries no field."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


def dump(record: Any) -> Any:
    """A record as plain JSON values: dicts, lists, text, numbers. Of fields ``Added`` later, those not at default."""
    if record is None or isinstance(record, (str, int, float)):  # nearly all of them
        return record
    if is_dataclass(record):
        kind: type = type(record)
        later, values = _later(kind), {key: getattr(record, name) for key, name in _keys(kind).items()}
        return {key: dump(value) for key, value in values.items() if key not in later or value != later[key]}
    return [dump(item) for item in record] if isinstance(record, tuple) else record


def load(kind: type[T], document: Any) -> T:
    """A record out of JSON values. Raises UnknownField for keys of no field, and ContractError for missing ones, wrong
    types and values out of bounds."""
    value: T = _read(kind, document, "")
    return value


def loads(kind: type[T], text: str | bytes) -> T:
    """A record out of JSON text. Raises ContractError when it is no JSON or not that record."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractError("", f"is not JSON: {error}") from error
    return load(kind, document)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


@cache
def _later(kind: type) -> Mapping[str, Any]:
    """The keys of the fields that are marked as ``Added``, and their defaults."""
    return types.MappingProxyType(dict(_added(kind)))


def _added(kind: type) -> Iterator[tuple[str, Any]]:
    defaults = {field.name: field.default for field in fields(kind)}
    for key, name in _keys(kind).items():
        if any(isinstance(marker, Added) for marker in get_args(_hints(kind)[name])):
            yield key, defaults[name]


def _read(kind: Any, value: Any, path: str) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        return _read_marked(kind, value, path)
    if origin is Literal:
        return _read_literal(get_args(kind), value, path)
    if origin is tuple:
        return _read_tuple(get_args(kind), value, path)
    if origin in (Union, types.UnionType):  # only "X | None" occurs in this file
        return None if value is None else _read(get_args(kind)[0], value, path)
    return _read_record(kind, value, path) if is_dataclass(kind) else _read_plain(kind, value, path)


def _read_marked(kind: Any, value: Any, path: str) -> Any:
    inner, *markers = get_args(kind)
    result = _read(inner, value, path)
    for marker in markers:
        try:
            if not isinstance(marker, Key):
                marker.check(result)
        except ContractError as error:
            raise ContractError(path, error.problem) from None
    return result


def _read_literal(allowed: tuple[Any, ...], value: Any, path: str) -> Any:
    for choice in allowed:
        if type(choice) is type(value) and choice == value:
            return choice
    raise ContractError(path, f"must be one of {', '.join(map(repr, allowed))}")


def _read_tuple(items: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ContractError(path, f"must be a list, is {type(value).__name__}")
    kinds = (items[0],) * len(value) if items[-1] is Ellipsis else items
    if len(kinds) != len(value):
        raise ContractError(path, f"must hold {len(kinds)} items, holds {len(value)}")
    return tuple(
        _read(kind, item, _join(path, index)) for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _read_record(kind: Any, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise ContractError(path, f"must be an object ({kind.__name__}), is {type(value).__name__}")
    keys, required = _keys(kind), {field.name for field in fields(kind) if field.default is MISSING}
    if unknown := value.keys() - keys.keys():
        raise UnknownField(_join(path, str(min(unknown, key=repr))), kind.__name__)
    if missing := {key for key, name in keys.items() if name in required} - value.keys():
        raise ContractError(_join(path, min(missing)), "is missing")
    values = {keys[key]: _read(_hints(kind)[keys[key]], item, _join(path, key)) for key, item in value.items()}
    try:
        return kind(**values)
    except ContractError as error:
        raise ContractError(_join(path, error.path), error.problem) from error


def _read_plain(kind: type, value: Any, path: str) -> Any:
    if kind is float and type(value) in (int, float):
        return _finite(value, path)
    if type(value) is not kind:
        raise ContractError(path, f"must be {kind.__name__}, is {type(value).__name__}")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ContractError(path, "holds a lone surrogate, which is no text")
    return value


def _finite(value: float, path: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ContractError(path, "must be a finite number")
    return number


@cache
def _keys(kind: Any) -> Mapping[str, str]:
    """The keys of a record in JSON, and the names of the fields that they are of."""
    keys = {field.name: _key(field.name, _hints(kind)[field.name]) for field in fields(kind)}
    return {key: name for name, key in keys.items()}


def _key(name: str, hint: Any) -> str:
    markers = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((marker.name for marker in markers if isinstance(marker, Key)), name)


def _join(path: str, step: object) -> str:
    return f"{path}.{step}" if path else str(step)
