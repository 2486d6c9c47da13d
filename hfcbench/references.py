"""Names with parameters: how suites, the command line and tables refer to plugins' parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from hfcbench.errors import SpecificationError
from hfcbench.types import JSON

Kind: TypeAlias = Literal[
    "dataset",
    "model",
    "heuristic",
    "decomposition",
    "attack",
    "defence",
    "metric",
    "analysis",
    "executor",
    "suite",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


def plural(kind: Kind) -> str:
    """The kind's name in hooks and headings: ``dataset`` -> ``datasets``."""
    return "analyses" if kind == "analysis" else kind + "s"


@dataclass(frozen=True)
class Reference:
    """A registration with a value for each of its parameters: ``pgd`` with 20 steps.

    Attributes:
        parameters: every parameter, defaults included; what the identity is made of.
        label: short text for people and tables; names only what differs from the defaults.
    """

    kind: Kind
    name: str
    version: str
    parameters: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    label: str = ""

    def canonical(self) -> dict[str, JSON]:
        """What the reference adds to an identity."""
        return {"name": self.name, "version": self.version, "parameters": dict(self.parameters)}


def format_label(kind: Kind, name: str, argument: str | None, changed: Mapping[str, JSON]) -> str:
    """``pgd(steps=40)``, ``timm/resnet18`` or ``image-folder:PATH``; :func:`parse_label` reads it.

    Args:
        kind: models put their inline argument behind ``/``, everything else behind ``:``.
        name: the registered name.
        argument: the parameter that is written inline, if any.
        changed: the parameters that differ from their defaults.
    """
    rest = dict(changed)
    if argument in rest:
        name += f"{'/' if kind == 'model' else ':'}{rest.pop(argument)}"
    if rest:
        name += "(" + ", ".join(f"{key}={_text(value)}" for key, value in rest.items()) + ")"
    return name


def parse_label(text: str) -> tuple[str, dict[str, Any]]:
    """The name and parameters of a label such as ``pgd(steps=40)``.

    Raises:
        SpecificationError: what stands in the parentheses is not ``name=value, ...``.
    """
    match = re.fullmatch(r"([^()]*)\((.*)\)", text.strip(), flags=re.DOTALL)
    if match is None:
        return text, {}
    import yaml

    from hfcbench import untrusted_yaml

    # `a=1, b=[2, 3]` is YAML's flow mapping `{a: 1, b: [2, 3]}` with another sign.
    inside = re.sub(r"(^|,)\s*([A-Za-z_]\w*)\s*=\s*", r"\1 \2: ", match[2])
    try:
        parameters = untrusted_yaml.construct(untrusted_yaml.compose("{" + inside + "}"))
    except yaml.YAMLError:
        parameters = None
    if not isinstance(parameters, dict):
        raise SpecificationError(
            f"'{text}' cannot be read; parameters are written as in 'pgd(steps=40)'"
        )
    return match[1].strip(), parameters


def short_labels(kind: Kind, labels: Sequence[str]) -> dict[str, str]:
    """Labels without the parameters that all of them that have one name have in common.

    Labels that cannot be read stay as they are.
    """
    parsed: dict[str, tuple[str, dict[str, Any]]] = {}
    for label in labels:
        try:
            parsed[label] = parse_label(label)
        except SpecificationError:
            continue
    short = {label: label for label in labels}
    for label, (name, parameters) in parsed.items():
        others = [values for other, values in parsed.values() if other == name]
        own = {
            key: value
            for key, value in parameters.items()
            if any(key not in values or values[key] != value for values in others)
        }
        short[label] = format_label(kind, name, None, own)
    return short


def split_combination(text: str) -> list[str]:
    """The members of ``batchnorm+mixup(alpha=0.2)``."""
    return [member.strip() for member in re.split(r"\+(?![^(]*\))", text)]


def split_inline_argument(name: str) -> tuple[str, str]:
    """``timm/resnet18`` -> ``("timm", "resnet18")``; the second is empty where there is none."""
    match = re.match(r"([^:/]+)[:/](.*)", name, flags=re.DOTALL)
    return (match[1], match[2]) if match else (name, "")


def _text(value: JSON) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)
