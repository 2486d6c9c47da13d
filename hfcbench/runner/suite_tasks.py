"""What the datasets of a suite are for, known without opening them."""

from __future__ import annotations

from hfcbench.registry import Registry
from hfcbench.runner.block_reader import BlockReader
from hfcbench.runner.suite_file import SuiteFile
from hfcbench.runner.suite_schema import merged
from hfcbench.types import DataLocation, Task, task_of


def tasks_of(file: SuiteFile, registry: Registry, location: DataLocation) -> set[Task]:
    """The tasks of all datasets that a suite names.

    Raises:
        SpecificationError: there is no such dataset, or it cannot be had with these parameters.
    """
    readers = [
        BlockReader(file, index, merged(block, file.suite), registry, location)
        for index, block in enumerate(file.suite.blocks)
    ]
    return {
        task_of(registry.create(reference))
        for reader in readers
        for reference in reader.references("dataset", "datasets", reader.block.datasets or [])
    }
