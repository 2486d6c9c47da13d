"""Where a training comes from, as lists of facts that name no host and no folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hfcbench.reports.site.elements import Fact
from hfcbench.reports.site.wording import bytes_text, duration_text

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance

_ORIGIN = re.compile(r".*\((.*)\)", re.DOTALL)


def identity_facts(provenance: Provenance) -> tuple[Fact, ...]:
    """What the training is, to the last digit."""
    training = provenance.training
    facts = [
        Fact("identity", str(training["identity"]), code=True),
        Fact("configuration", str(training["configuration"]), code=True),
        Fact("dataset content", str(provenance.dataset["fingerprint"]), code=True),
    ]
    for row in provenance.artifacts:
        kind = str(row["kind"]).replace("-", " ")
        size = bytes_text(int(row["size_bytes"]))
        facts.append(Fact(f"{kind}, sha256", f"{row['sha256']} ({size})", code=True))
    return tuple(facts)


def training_facts(provenance: Provenance) -> tuple[Fact, ...]:
    """What was trained, and how."""
    training = provenance.training
    specification = training["specification"]
    facts = [
        Fact("model", _with_version(training["model"], training["model_version"])),
        Fact("heuristics", str(training["heuristics"])),
        Fact("trained on", str(training["trained_on"])),
        Fact("parameters", f"{training['parameter_count']:,}"),
        Fact("scale", str(training["scale"])),
    ]
    for name in ("samples",):
        if specification.get(name) is not None:
            facts.append(Fact("training images", _text(specification[name])))
    schedule = specification.get("schedule")
    if isinstance(schedule, Mapping):
        facts += [
            Fact(str(name).replace("_", " "), _text(value))
            for name, value in sorted(schedule.items())
            if value not in ({}, None)
        ]
    else:
        facts.append(Fact("epochs", str(training["epochs"])))
    return tuple(facts)


def run_facts(provenance: Provenance) -> tuple[Fact, ...]:
    """When, on what kind of device and with which versions."""
    training, run = provenance.training, provenance.training_run
    revision = run["git_revision"]
    if revision and run["git_dirty"]:
        revision = f"{revision}, with changes"
    facts = {
        "trained": training["started_at"].strftime("%Y-%m-%d %H:%M UTC"),
        "took": duration_text(training["duration_seconds"]),
        "device": " – ".join(filter(None, (training["device"], run["device_name"]))),
        "suite": run["suite"],
        "hfcbench": run["hfcbench_version"],
        "git revision": revision,
        "Python": run["python_version"],
        "PyTorch": run["torch_version"],
        "CUDA": run["cuda_version"],
        "driver": run["driver_version"],
        "packages": ", ".join(f"{name} {version}" for name, version in _packages(run)),
        "plugins of": ", ".join(_distributions(run["plugins"])),
    }
    return tuple(Fact(name, str(text)) for name, text in facts.items() if text)


def specification_text(provenance: Provenance) -> str:
    """The whole truth about the training, as JSON."""
    content = provenance.training["specification"]
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)


def _packages(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted(run["packages"].items())


def _distributions(plugins: list[str]) -> list[str]:
    """``hfcbench 0.1.0`` once for all plugins that it carries."""
    found = (_ORIGIN.fullmatch(plugin) for plugin in plugins)
    return sorted({match[1] for match in found if match is not None})


def _with_version(label: Any, version: Any) -> str:
    return str(label) if version is None else f"{label} (version {version})"


def _text(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value)
