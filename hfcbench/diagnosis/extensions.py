"""Plugins, and those that do not work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from hfcbench.diagnosis.checks import Check
from hfcbench.plugins import LoadedPlugin, Plugins
from hfcbench.references import KINDS, plural


def plugin_checks(load_plugins: Callable[[], Plugins]) -> Iterator[Check]:
    """A check for each distribution, and one for each plugin that failed to load."""
    several: dict[str, str] = {kind: plural(kind) for kind in KINDS}
    plugins = load_plugins()
    distributions: dict[tuple[str, str], list[LoadedPlugin]] = {}
    for plugin in plugins.loaded:
        key = (plugin.origin.distribution, plugin.origin.version)
        distributions.setdefault(key, []).append(plugin)
    for (name, version), members in distributions.items():
        kinds = Counter(kind for member in members for kind, _ in member.provides)
        provided = ", ".join(
            f"{count} {kind if count == 1 else several[kind]}" for kind, count in kinds.items()
        )
        said = f"{version}: {provided or 'observers only'}"
        yield Check("plugins", name, "ok", said)
    for failed in plugins.failed:
        origin = failed.origin
        mend = f"pip install --upgrade {origin.distribution} (hfcbench --debug plugins says more)"
        said = f"{origin.plugin} does not load: {failed.reason}"
        yield Check("plugins", origin.distribution, "fail", said, mend)
