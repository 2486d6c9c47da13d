"""From a kind and a name to the files of a distribution."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template as Text

from hfcbench.errors import HfcbenchError, UsageError, nearest
from hfcbench.references import plural
from hfcbench.scaffolding.templates import TEMPLATES, Template
from hfcbench.version import __version__

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 30


@dataclass(frozen=True)
class Distribution:
    """A distribution that is not written yet.

    Attributes:
        name: of the distribution, such as ``hfcbench-blur``.
        package: what is imported, such as ``hfcbench_blur``.
        files: text by path relative to the distribution's folder.
    """

    name: str
    package: str
    files: Mapping[str, str]

    def write(self, parent: Path) -> Path:
        """Write all files into a new folder below ``parent``, and return it.

        Raises:
            UsageError: there is such a folder already; nothing of it is touched.
            HfcbenchError: it cannot be written.
        """
        folder = parent / self.name
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
            for path, text in self.files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
        except FileExistsError as error:
            raise UsageError(
                f"{folder} is there already, and nothing is overwritten",
                hint="choose another name, or another folder with --out",
            ) from error
        except OSError as error:
            raise HfcbenchError(
                f"{folder} cannot be written: {error.strerror or error}",
                hint="choose another folder with --out",
            ) from error
        return folder


def plan_distribution(template_name: str, name: str) -> Distribution:
    """The files of a new distribution that registers ``name``.

    Args:
        template_name: a key of :data:`hfcbench.scaffolding.templates.TEMPLATES`.
        name: what suites are to call it.

    Raises:
        UsageError: no such template, or a name that nothing can be called.
    """
    if template_name not in TEMPLATES:
        raise UsageError(
            f"there is no template for '{template_name}'; {nearest(template_name, TEMPLATES)}"
        )
    template = TEMPLATES[template_name]
    check_name(name)
    package = "hfcbench_" + name.replace("-", "_")
    values = _values(template_name, template, name, package)
    inside = {
        "plugin.py": f"{template_name}/plugin.py",
        "__init__.py": "common/init",
        "py.typed": "common/py.typed",
        **{path: f"{template_name}/{path}" for path in template.files},
    }
    sources = {
        "pyproject.toml": "common/pyproject.toml",
        "README.md": "common/README.md",
        "tests/test_plugin.py": f"{template_name}/test_plugin.py",
        **{f"src/{package}/{path}": source for path, source in inside.items()},
    }
    texts = {path: Text(_read(source)).substitute(values) for path, source in sources.items()}
    return Distribution(values["distribution"], package, texts)


def check_name(name: str) -> None:
    """Raise UsageError unless a registration, a distribution and a package can have the name."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise UsageError(
            f"'{name}' cannot be the name of a plugin",
            hint=f"use at most {_LONGEST} lower-case letters, digits and single hyphens, a letter "
            "first: my-defence",
        )
    if name.startswith("hfcbench"):
        raise UsageError(
            f"'{name}' would make a distribution 'hfcbench-{name}'",
            hint=f"say '{name.removeprefix('hfcbench').strip('-') or 'my-plugin'}'",
        )


def _values(template_name: str, template: Template, name: str, package: str) -> dict[str, str]:
    """What takes the place of each ``$name`` in the files."""
    base = ["annotated-types>=0.6", f"hfcbench>={__version__}"]
    usage = Text(template.usage).substitute(name=name)
    return {
        "name": name,
        "distribution": f"hfcbench-{name}",
        "package": package,
        "class_name": _class_name(template_name, name),
        "kind": template_name.replace("-", " "),
        "plural": plural(template.kind),
        "summary": template.summary,
        "dependencies": ", ".join(f'"{item}"' for item in sorted([*base, *template.dependencies])),
        "usage": f"    {usage}" if usage else "",
        "files": "\n".join(
            f"| `src/{package}/{path}` | {purpose} |" for path, purpose in template.files.items()
        ),
    }


def _class_name(template_name: str, name: str) -> str:
    """``my-blur`` -> ``MyBlur``, with a word behind it where the files use that name already."""
    camel = "".join(part.capitalize() for part in name.split("-"))
    known = re.findall(r"\w+", _read(f"{template_name}/plugin.py"))
    return camel + "Plugin" if camel in known or keyword.iskeyword(camel) else camel


def _read(path: str) -> str:
    source = files("hfcbench.scaffolding") / "skeletons" / f"{path}.tmpl"
    return source.read_text(encoding="utf-8")
