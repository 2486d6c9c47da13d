"""Options of `hfcbench run` that replace parts of a suite."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from hfcbench.cli.completing import names_for
from hfcbench.errors import UsageError

Override = tuple[tuple[str | int, ...], Any]
F = TypeVar("F", bound=Callable[..., Any])

_LISTS: Mapping[str, str] = {
    "dataset": "datasets",
    "model": "models",
    "heuristic": "heuristics",
    "train-on": "train_on",
    "component": "components",
    "defence": "defences",
    "attack": "attacks",
    "epsilon": "epsilons",
    "attack-mode": "attack_modes",
    "metric": "metrics",
}
_VALUES: Mapping[str, tuple[str, ...]] = {
    "epochs": ("schedule", "epochs"),
    "batch-size": ("schedule", "batch_size"),
    "learning-rate": ("schedule", "learning_rate"),
    "optimizer": ("schedule", "optimizer"),
    "augmentation": ("schedule", "augmentation"),
    "precision": ("schedule", "precision"),
    "decomposition": ("decomposition",),
    "rescaling": ("rescaling",),
    "train-samples": ("samples", "train"),
    "test-samples": ("samples", "test"),
    "attack-samples": ("samples", "attack"),
    "criterion": ("criterion",),
    "attack-precision": ("attack_precision",),
}


def override_options(function: F) -> F:
    """Add every override option to a command, which receives them as keyword arguments."""
    options = [
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="KEY=VALUE",
            help="Replace any part: --set schedule.epochs=5, --set blocks.0.models=[lenet5].",
        ),
        click.option(
            "--scale",
            type=click.Choice(["full", "quick"]),
            help="quick: fewer epochs, images and values, for suites that say how.",
        ),
        click.option("--seeds", type=click.IntRange(min=1), help="Use the seeds 0 to N-1."),
    ]
    for name, path in _VALUES.items():
        options.append(
            click.option(
                f"--{name}",
                help=f"Replace {'.'.join(path)}.",
                shell_complete=names_for(name),
            )
        )
    for name, key in _LISTS.items():
        options.append(
            click.option(
                f"--{name}",
                multiple=True,
                help=f"Replace {key}; may be repeated.",
                shell_complete=names_for(name),
            )
        )
    for option in options:
        function = option(function)
    return function


def overrides_from(options: Mapping[str, Any]) -> list[Override]:
    """The (path, value) pairs that the given options ask for.

    Raises:
        UsageError: ``--set`` without ``=``, or with a value that is not YAML.
    """
    overrides: list[Override] = []
    if options["scale"] is not None:
        overrides.append((("scale",), options["scale"]))
    for name, key in _LISTS.items():
        values = options[name.replace("-", "_")]
        if values:
            overrides.append(((key,), list(values)))
    for name, path in _VALUES.items():
        value = options[name.replace("-", "_")]
        if value is not None:
            overrides.append((path, value))
    if options["seeds"] is not None:
        overrides.append((("seeds",), list(range(options["seeds"]))))
    overrides.extend(_assignment(text) for text in options["assignments"])
    return overrides


def run_command(suite: str, db: str, options: Mapping[str, Any]) -> str:
    """The command line that runs a suite with the given options."""
    words = ["hfcbench", "run", "--suite", suite]
    for name in _LISTS:
        for value in options[name.replace("-", "_")]:
            words += [f"--{name}", str(value)]
    for name in (*_VALUES, "scale", "seeds"):
        value = options[name.replace("-", "_")]
        if value is not None:
            words += [f"--{name}", str(value)]
    for text in options["assignments"]:
        words += ["--set", text]
    if db != "results.db":
        words += ["--db", db]
    return shlex.join(words)


def _assignment(text: str) -> Override:
    import yaml

    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise UsageError(f"--set {text}: write it as KEY=VALUE, as in schedule.epochs=5")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {text}: '{value}' is not a YAML value") from error
    return tuple(int(step) if step.isdigit() else step for step in key.split(".")), parsed
