"""Built-ins are written as a third party would: public imports only, and light declarations."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hfcbench
from hfcbench.plugins import BUILTIN_MODULES

PACKAGE = Path(hfcbench.__file__).parent
FOLDERS = (
    "analyses",
    "attacks",
    "datasets",
    "decompositions",
    "defences",
    "executors",
    "heuristics",
    "metrics",
    "models",
    "suites",
)
PUBLIC = {
    "hfcbench",
    "hfcbench.adversarial.ball",
    "hfcbench.adversarial.climbing",
    "hfcbench.adversarial.gradient",
    "hfcbench.attack_types",
    "hfcbench.attacks.pgd",
    "hfcbench.decompositions.fft_radial",
    "hfcbench.decompositions.svd",
    "hfcbench.defence_modules",
    "hfcbench.detection",
    "hfcbench.detection_types",
    "hfcbench.devices",
    "hfcbench.errors",
    "hfcbench.adversarial.promises",
    "hfcbench.adversarial.ring",
    "hfcbench.adversarial.while_training",
    "hfcbench.evaluation.batching",
    "hfcbench.evaluation.prediction",
    "hfcbench.frequency",
    "hfcbench.hookspecs",
    "hfcbench.optimizers",
    "hfcbench.quantities",
    "hfcbench.runner.executor",
    "hfcbench.runner.tasks",
    "hfcbench.types",
}
FILES = sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))


def imports_of(path: Path) -> list[tuple[str, str]]:
    """(module, name) of each absolute or relative import of hfcbench, wherever it stands."""
    found = []
    package = ".".join(("hfcbench", *path.relative_to(PACKAGE).parent.parts))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(filter(None, (above, node.module)))
            found.extend((module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            found.extend((alias.name, "") for alias in node.names)
    return [(module, name) for module, name in found if module.split(".")[0] == "hfcbench"]


def is_public(module: str, folder: str) -> bool:
    own = f"hfcbench.{folder}"
    inside_frequency = module.startswith("hfcbench.frequency.")
    return module in PUBLIC or inside_frequency or module == own or module.startswith(own + ".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_builtins_use_public_imports_only(path):
    folder = path.relative_to(PACKAGE).parts[0]
    for module, name in imports_of(path):
        assert is_public(module, folder), f"{module} is not for plugins"
        assert not name.startswith("_"), f"{module}.{name} is private"


def test_every_hook_module_is_listed():
    with_hooks = {
        ".".join(("hfcbench", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in FILES
        if "@hookimpl" in path.read_text(encoding="utf-8")
    }
    assert with_hooks == set(BUILTIN_MODULES)


@pytest.mark.parametrize(
    "statement",
    [
        "import hfcbench",
        "from hfcbench.cli.main import call; call(['--help'])",
        "from hfcbench.cli.main import call; call(['plugins'])",
        "from hfcbench.cli.main import call; call(['list', 'models'])",
    ],
)
def test_light_commands_import_neither_torch_nor_a_database(statement):
    heavy = (
        "{'torch', 'torchvision', 'timm', 'sqlalchemy', 'pandas', 'scipy', 'skimage', "
        "'pycocotools'}"
    )
    program = f"{statement}; import sys; print('heavy:', sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "heavy: []"
