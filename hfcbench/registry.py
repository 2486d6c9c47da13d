"""What plugins have declared: one table of named registrations per kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hfcbench.errors import PluginError, SpecificationError, nearest
from hfcbench.parameters import ParameterSchema
from hfcbench.references import (
    KINDS,
    Kind,
    Reference,
    format_label,
    plural,
    split_inline_argument,
)
from hfcbench.types import SuiteSource

_NAME = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_SUITE_NAME = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)*")


@dataclass(frozen=True)
class Origin:
    """The plugin that declared something and the distribution that it came in."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.plugin} ({self.distribution} {self.version})"


@dataclass(frozen=True)
class Registration:
    """One declared name: how to make it, its version, its parameters and where it came from."""

    kind: Kind
    name: str
    version: str
    description: str
    origin: Origin
    schema: ParameterSchema
    factory: Callable[..., Any]
    argument: str | None = None


class Registry:
    """Named registrations of every kind; read-only once :meth:`freeze` was called."""

    def __init__(self) -> None:
        self._tables: dict[Kind, dict[str, Registration]] = {kind: {} for kind in KINDS}
        self._frozen = False
        self._failed_plugins: dict[str, str] = {}

    def stage(self, origin: Origin) -> StagedRegistrations:
        """Where one plugin's declarations are collected before they are taken over."""
        return StagedRegistrations(self, origin)

    def commit(self, staged: StagedRegistrations) -> None:
        """Take over all declarations of one plugin."""
        if self._frozen:
            raise PluginError(f"{staged.origin}: plugins cannot register after start-up")
        for registration in staged.registrations:
            self._tables[registration.kind][registration.name] = registration

    def freeze(self, failed_plugins: Mapping[str, str] | None = None) -> None:
        """Refuse further registrations; remember which plugins failed for error messages."""
        self._frozen = True
        self._failed_plugins = dict(failed_plugins or {})

    def all(self, kind: Kind) -> list[Registration]:
        """Every registration of a kind, by name."""
        return [self._tables[kind][name] for name in sorted(self._tables[kind])]

    def find(self, kind: Kind, name: str) -> Registration | None:
        """The registration of that name, or None."""
        return self._tables[kind].get(name)

    def get(self, kind: Kind, name: str) -> Registration:
        """The registration of that name.

        Raises:
            SpecificationError: there is none; names the nearest ones and the failed plugins.
        """
        found = self.find(kind, name)
        if found is not None:
            return found
        message = f"there is no {kind} '{name}'; {nearest(name, self._tables[kind])}"
        hint = f"`hfcbench list {plural(kind)}` shows them all"
        for plugin, reason in self._failed_plugins.items():
            hint += f"\nit may come from plugin {plugin}, which failed to load: {reason}"
        raise SpecificationError(message, hint=hint)

    def resolve(self, kind: Kind, name: str, parameters: Mapping[str, Any]) -> Reference:
        """A checked reference; ``name`` may carry the inline argument (``timm/resnet18``).

        Raises:
            SpecificationError: an unknown name or parameter, or a value that is not allowed.
        """
        registration, argument = self._split_argument(kind, name)
        values = dict(parameters)
        if argument is not None:
            if registration.argument in values:
                raise SpecificationError(
                    f"{kind} '{name}': '{registration.argument}' is given twice, "
                    "inline and as a parameter"
                )
            values[str(registration.argument)] = argument
        checked = registration.schema.validate(values)
        return Reference(
            kind,
            registration.name,
            registration.version,
            checked,
            format_label(
                registration.kind,
                registration.name,
                registration.argument,
                registration.schema.changed(checked),
            ),
        )

    def create(self, reference: Reference) -> Any:
        """The object that a reference describes.

        Raises:
            PluginError: the factory itself failed.
        """
        registration = self.get(reference.kind, reference.name)
        try:
            return registration.factory(**reference.parameters)
        except (SpecificationError, PluginError):
            raise
        except Exception as error:
            raise PluginError(
                f"{reference.kind} '{reference.name}' of {registration.origin} cannot be made: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _split_argument(self, kind: Kind, name: str) -> tuple[Registration, str | None]:
        found = self.find(kind, name)
        if found is not None:
            return found, None
        head, rest = split_inline_argument(name)
        if rest:
            family = self.find(kind, head)
            if family is not None and family.argument is not None:
                return family, rest
        return self.get(kind, name), None


class StagedRegistrations:
    """One plugin's declarations, checked but not yet visible."""

    def __init__(self, registry: Registry, origin: Origin) -> None:
        self._registry = registry
        self.origin = origin
        self.registrations: list[Registration] = []

    def register(
        self,
        kind: Kind,
        name: str,
        factory: Callable[..., Any],
        *,
        version: str,
        description: str | None = None,
        argument: str | None = None,
    ) -> None:
        """Check and keep one declaration; see :class:`hfcbench.hookspecs.Register`."""
        owner = f"{kind} '{name}'"
        self._check_name(kind, name, version)
        schema = ParameterSchema(factory, owner)
        schema.check_defaults()
        if argument is not None and argument not in schema.names:
            raise PluginError(f"{owner}: its inline argument '{argument}' is no parameter of it")
        text = description or (factory.__doc__ or "").strip().partition("\n")[0]
        self.registrations.append(
            Registration(kind, name, version, text, self.origin, schema, factory, argument)
        )

    def register_suite(
        self, name: str, source: SuiteSource, *, version: str, description: str | None = None
    ) -> None:
        """Check and keep one suite; see :class:`hfcbench.hookspecs.RegisterSuite`."""
        self._check_name("suite", name, version)
        if not isinstance(source, SuiteSource):
            raise PluginError(f"suite '{name}': its source must be a readable file, not {source!r}")

        def read() -> SuiteSource:
            return source

        self.registrations.append(
            Registration(
                "suite",
                name,
                version,
                description or "",
                self.origin,
                ParameterSchema(read, f"suite '{name}'"),
                read,
            )
        )

    def _check_name(self, kind: Kind, name: str, version: str) -> None:
        pattern = _SUITE_NAME if kind == "suite" else _NAME
        if not isinstance(name, str) or not pattern.fullmatch(name):
            raise PluginError(
                f"{kind} {name!r}: names are lower-case letters, digits and single hyphens"
            )
        if not isinstance(version, str) or not version:
            raise PluginError(f"{kind} '{name}': its version must be a non-empty text")
        rival = self._registry.find(kind, name) or next(
            (known for known in self.registrations if (known.kind, known.name) == (kind, name)),
            None,
        )
        if rival is not None:
            raise PluginError(
                f"{kind} '{name}' is declared twice: by {rival.origin} and by {self.origin}"
            )
