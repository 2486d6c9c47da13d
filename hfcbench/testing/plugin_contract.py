"""What every plugin promises: it loads, it is light, and it says what it is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar, Self

from hfcbench.errors import HfcbenchError
from hfcbench.plugins import Plugins, load_plugins
from hfcbench.references import Kind, Reference, plural
from hfcbench.registry import Registration
from hfcbench.testing.contract_error import ContractError

_HEAVY = ("torch", "torchvision", "sqlalchemy", "pandas", "scipy")
_SOURCE = re.compile(r"\b(1[89]|20)\d\d\b|\bSource:|\bpaper\b", re.IGNORECASE)
_CITED: frozenset[Kind] = frozenset({"attack", "defence", "heuristic"})
"""Kinds that carry out a published method, or say that theirs is their own."""


class PluginContract:
    """The base of all contracts. Subclasses of it test one registered name with its parameters.

    In a test module, say what is tested and pytest runs the rest::

        class TestQuantize(DefenceContract):
            plugin = hfcbench_quantize.plugin
            name = "quantize"
            parameters: ClassVar = {"bits": 3}

    Elsewhere, ``DefenceContract.of(plugin, "quantize", bits=3).check()`` runs all of it.

    Attributes:
        plugin: the module or object with the hooks, as the entry point names it.
        name: what it registers.
        parameters: beside the defaults.
        documented_elsewhere: parameters are a library's, whose documentation explains them.
    """

    kind: ClassVar[Kind]
    plugin: ClassVar[Any] = None
    name: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, Any]] = {}
    documented_elsewhere: bool = False

    @classmethod
    def of(cls, plugin: object, name: str, /, **parameters: Any) -> Self:
        """The contract of one registered name, outside of a test class."""
        tested = {"plugin": plugin, "name": name, "parameters": parameters}
        contract: Self = type(cls.__name__, (cls,), tested)()
        return contract

    def promises(self) -> dict[str, Callable[[], None]]:
        """Every test of it by its name."""
        return {
            name: getattr(self, name)
            for name in dir(type(self))
            if name.startswith("test_") and callable(getattr(self, name))
        }

    def check(self) -> None:
        """Run every test.

        Raises:
            ContractError: the first promise that is not kept.
        """
        for test in self.promises().values():
            test()

    @cached_property
    def plugins(self) -> Plugins:
        """The plugin alone, loaded as hfcbench loads it.

        Raises:
            ContractError: it does not load.
        """
        plugins = load_plugins({"tested": self.plugin}, installed=(), builtin_modules=())
        for failed in plugins.failed:
            raise ContractError(f"the plugin does not load: {failed.reason}")
        return plugins

    @property
    def registration(self) -> Registration:
        """What it registers under the tested name.

        Raises:
            ContractError: nothing.
        """
        found = self.plugins.registry.find(self.kind, self.name)
        if found is None:
            raise ContractError(
                f"the plugin declares no {self.kind} '{self.name}'",
                hint=f"its hook is hfcbench_register_{plural(self.kind)}",
            )
        return found

    @property
    def reference(self) -> Reference:
        """The tested name with its parameters."""
        return self.plugins.registry.resolve(
            self.kind, self.registration.name, dict(self.parameters)
        )

    def made(self) -> Any:
        """A new object of it."""
        return self.plugins.registry.create(self.reference)

    def fail(self, problem: str, *, hint: str | None = None) -> ContractError:
        """The complaint about a promise that is not kept, to be raised."""
        return ContractError(f"{self.kind} '{self.name}' {problem}", hint=hint)

    def refuses(self, call: Callable[[], object]) -> bool:
        """Whether a call ends in an error of hfcbench, as what cannot be done has to."""
        try:
            call()
        except HfcbenchError:
            return True
        return False

    def test_it_is_declared_under_its_name(self) -> None:
        """It loads, and can be made with the tested parameters."""
        self.made()

    def test_it_says_what_it_is(self) -> None:
        """One line for `hfcbench list`, every parameter explained, and the method's source."""
        registration = self.registration
        if not registration.description.strip():
            raise self.fail("has no description", hint="write a docstring; its first line is shown")
        text = _documentation(registration.factory)
        unknown = [name for name in registration.schema.names if not _names(text, name)]
        if unknown and not self.documented_elsewhere:
            raise self.fail(
                f"does not say what its parameter '{unknown[0]}' is",
                hint="explain it under 'Attributes:' in the docstring",
            )
        if self.kind in _CITED and not _SOURCE.search(text):
            raise self.fail(
                "does not say where its method is from",
                hint="name authors and year in the docstring, or say 'Source: none'",
            )

    def test_declaring_it_is_light(self) -> None:
        """Importing the plugin's module loads neither torch nor other heavy libraries."""
        if not isinstance(self.plugin, ModuleType):
            return
        program = f"import sys, {self.plugin.__name__}; print(*sys.modules)"
        paths = "import sys; sys.path[:] = " + repr(sys.path)
        answer = subprocess.run(
            [sys.executable, "-c", f"{paths}\n{program}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise self.fail(f"cannot be imported alone: {answer.stderr.strip()}")
        heavy = set(_HEAVY) & set(answer.stdout.split())
        if heavy:
            raise self.fail(
                f"imports {', '.join(sorted(heavy))} where it is declared",
                hint="import them inside of functions, so that `hfcbench list` stays quick",
            )


def _documentation(factory: Callable[..., object]) -> str:
    """Docstrings of a factory, what it inherits from, its public methods, and its module."""
    texts = [inspect.getdoc(factory), _module_documentation(factory)]
    for base in getattr(factory, "__mro__", ()):
        texts.append(base.__doc__ if base is not object else None)
    for name, member in inspect.getmembers(factory, callable):
        texts.append(None if name.startswith("_") else inspect.getdoc(member))
    return "\n".join(filter(None, texts))


def _module_documentation(factory: Callable[..., object]) -> str | None:
    module = sys.modules.get(getattr(factory, "__module__", ""))
    return None if module is None else module.__doc__


def _names(text: str, parameter: str) -> bool:
    return re.search(rf"\b{re.escape(parameter)}\b", text) is not None
