"""Typed parameters: a factory's signature is the schema that values are checked against."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Union

from hfcbench.errors import PluginError, SpecificationError, nearest
from hfcbench.types import JSON, BelowDataRoot

if TYPE_CHECKING:
    import pydantic

_PLAIN_TYPES = (bool, int, float, str, type(None))
_CONTAINERS = (list, tuple, dict)


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter as it is shown to people."""

    name: str
    type: str
    default: str | None


class ParameterSchema:
    """The parameters that a factory takes, with their types, ranges and defaults.

    Args:
        factory: a class or function whose parameters all are annotated keywords.
        owner: what to call it in messages, e.g. ``attack 'pgd'``.

    Raises:
        PluginError: a parameter that has no annotation, is variadic or positional-only, or is not
            made of plain values (bool, int, float, str, None, lists, mappings).
    """

    def __init__(self, factory: Callable[..., object], owner: str) -> None:
        self._owner = owner
        self._parameters = _inspect(factory, owner)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._parameters)

    def describe(self) -> list[ParameterInfo]:
        """Names, types with ranges, and defaults in the order of the signature."""
        return [
            ParameterInfo(
                name,
                type_text(annotation),
                None if default is inspect.Parameter.empty else repr(default),
            )
            for name, (annotation, default) in self._parameters.items()
        ]

    def validate(self, values: Mapping[str, Any]) -> dict[str, JSON]:
        """All parameters as plain values, defaults filled in.

        Raises:
            SpecificationError: an unknown name (with the nearest valid ones), a missing value, or
                a value of the wrong type or outside its range.
        """
        import pydantic

        for name in values:
            if name not in self._parameters:
                known = nearest(str(name), self.names) if self.names else "it takes none"
                raise SpecificationError(f"{self._owner} has no parameter '{name}'; {known}")
        try:
            model = self._model.model_validate(dict(values))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            given = "" if first["type"] == "missing" else f", not {first['input']!r}"
            raise SpecificationError(
                f"{self._owner}: parameter '{place}': {first['msg']}{given}"
            ) from error
        dumped: dict[str, JSON] = model.model_dump(mode="json")
        return dumped

    def changed(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """The values that differ from their defaults, in the order of the signature."""
        defaults = {
            name: default
            for name, (_, default) in self._parameters.items()
            if default is not inspect.Parameter.empty
        }
        return {
            name: values[name]
            for name in self._parameters
            if name in values and (name not in defaults or values[name] != defaults[name])
        }

    def paths(self, values: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
        """Name and text of each path among the values, as :data:`hfcbench.types.DataPath` marks."""
        for name, (annotation, _) in self._parameters.items():
            if name in values and _is_path(annotation):
                yield from ((name, text) for text in _texts(values[name]))

    def check_defaults(self) -> None:
        """Raise PluginError if a default breaks its own type or range."""
        import pydantic

        for name, (annotation, default) in self._parameters.items():
            if default is inspect.Parameter.empty:
                continue
            try:
                pydantic.TypeAdapter(annotation).validate_python(default)
            except pydantic.ValidationError as error:
                reason = error.errors()[0]["msg"]
                raise PluginError(
                    f"{self._owner}: the default {default!r} of '{name}' is not valid: {reason}"
                ) from error

    @cached_property
    def _model(self) -> type[pydantic.BaseModel]:
        import pydantic

        fields: dict[str, Any] = {
            name: (annotation, ... if default is inspect.Parameter.empty else default)
            for name, (annotation, default) in self._parameters.items()
        }
        return pydantic.create_model(
            "Parameters",
            # What is not finite has no canonical form, and so no identity.
            __config__=pydantic.ConfigDict(
                extra="forbid", protected_namespaces=(), allow_inf_nan=False
            ),
            **fields,
        )


def _inspect(factory: Callable[..., object], owner: str) -> dict[str, tuple[Any, Any]]:
    try:
        signature = inspect.signature(factory)
        target = factory.__init__ if inspect.isclass(factory) else factory
        hints = typing.get_type_hints(target, include_extras=True)
    except (TypeError, ValueError, NameError) as error:
        raise PluginError(f"{owner}: its parameters cannot be read: {error}") from error
    factories = _made_defaults(factory)
    parameters = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise PluginError(f"{owner}: '*{name}' is not allowed, name each parameter")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise PluginError(f"{owner}: parameter '{name}' must be usable as a keyword")
        if name not in hints:
            raise PluginError(f"{owner}: parameter '{name}' has no type annotation")
        if not _is_plain(hints[name]):
            raise PluginError(
                f"{owner}: parameter '{name}' is a {type_text(hints[name])}; "
                "parameters are bool, int, float, str, None, or lists and mappings of these"
            )
        parameters[name] = (hints[name], factories.get(name, parameter.default))
    return parameters


def _made_defaults(factory: Callable[..., object]) -> dict[str, Any]:
    """Defaults of dataclass fields that have a ``default_factory``, which signatures hide."""
    if not dataclasses.is_dataclass(factory):
        return {}
    return {
        field.name: field.default_factory()
        for field in dataclasses.fields(factory)
        if field.default_factory is not dataclasses.MISSING
    }


def _is_plain(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return _is_plain(arguments[0])
    if origin is Literal:
        return True
    if origin in (Union, types.UnionType) or origin in _CONTAINERS:
        return all(_is_plain(argument) for argument in arguments if argument is not Ellipsis)
    if origin is not None and issubclass(origin, Mapping):
        return all(_is_plain(argument) for argument in arguments)
    return annotation in _PLAIN_TYPES


def _is_path(annotation: Any) -> bool:
    """Whether any part of an annotation is marked as a path."""
    return annotation is BelowDataRoot or any(map(_is_path, typing.get_args(annotation)))


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def type_text(annotation: Any) -> str:
    """An annotation as people read it: ``float >= 0``, ``'l2' or 'linf'``, ``int or None``."""
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        limits = " and ".join(filter(None, map(_limit_text, arguments[1:])))
        return f"{type_text(arguments[0])} {limits}".strip()
    if origin is Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(argument) for argument in arguments)
    if annotation is type(None):
        return "None"
    if origin is not None:
        inside = ", ".join(type_text(argument) for argument in arguments)
        return f"{origin.__name__} of {inside}"
    return getattr(annotation, "__name__", str(annotation))


def _limit_text(limit: object) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "multiple_of": "a multiple of"}
    return " and ".join(
        f"{sign} {value}"
        for name, sign in signs.items()
        if (value := getattr(limit, name, None)) is not None
    )
