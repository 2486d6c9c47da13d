"""What one block of a suite says: names resolved, values in range, complaints with their line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from hfcbench.errors import SpecificationError
from hfcbench.references import Kind, Reference, parse_label, split_combination
from hfcbench.registry import Registry
from hfcbench.runner.data_paths import stays_below
from hfcbench.runner.specification import ORIGINAL, ComponentSpecification, DatasetKey
from hfcbench.runner.suite_file import Path, SuiteFile
from hfcbench.runner.suite_schema import BlockSchema, Combination, Named
from hfcbench.types import DataLocation, Decomposition, Schedule

NO_HEURISTIC = "vanilla"


class BlockReader:
    """One block, merged with what it takes from its suite.

    Every path is that of a value within the block, such as ``("models", 0)``; whatever is wrong
    there raises SpecificationError with the line that says it.

    Args:
        block: merged; ``file`` still tells who said what.
        location: below which the suite may name paths.
    """

    def __init__(
        self,
        file: SuiteFile,
        index: int,
        block: BlockSchema,
        registry: Registry,
        location: DataLocation,
    ) -> None:
        self._file = file
        self._index = index
        self.block = block
        self._registry = registry
        self._location = location
        if not block.models:
            raise file.error(("blocks", index), "the key 'models' is missing")

    def schedule(self) -> Schedule:
        """The schedule, complete."""
        given = self.block.schedule
        return Schedule(**given.model_dump(exclude_none=True)) if given else Schedule()

    def samples(self, name: str, size: int) -> int | None:
        """How many images of a split are used; None for all, however that was said."""
        value: int | None = getattr(self.block.samples, name, None)
        return None if value == size else value

    def first_samples(self, names: Sequence[str], size: int) -> int | None:
        """The first of these numbers that is given."""
        for name in names:
            if getattr(self.block.samples, name, None) is not None:
                return self.samples(name, size)
        return None

    def combination(self, item: Combination, path: Path) -> tuple[Reference, ...]:
        """Heuristics that are applied together; none for vanilla."""
        members: list[Named] = []
        for member in item if isinstance(item, list) else [item]:
            members.extend(split_combination(member) if isinstance(member, str) else [member])
        return tuple(
            self.reference("heuristic", member, path)
            for member in members
            if member != NO_HEURISTIC
        )

    def components(
        self, dataset: DatasetKey, key: str, texts: list[str], inside: Path = ()
    ) -> list[ComponentSpecification]:
        """Components, in the order of their texts."""
        return [
            self._component(dataset, text, (key, *inside, position))
            for position, text in enumerate(texts)
        ]

    def _component(self, dataset: DatasetKey, text: str, path: Path) -> ComponentSpecification:
        if text == "original":
            return ORIGINAL
        reference = self.reference(
            "decomposition", self.block.decomposition or "", ("decomposition",)
        )
        decomposition: Decomposition = self._registry.create(reference)
        part, separator, cutoff_text = text.partition("@")
        if not separator or part not in decomposition.parts:
            examples = " or ".join(f"'{name}@...'" for name in decomposition.parts)
            raise self.error(
                path,
                f"'{text}' is no component; with {reference.label} it is 'original', {examples}",
            )
        try:
            cutoff = decomposition.parse(cutoff_text)
            decomposition.check(cutoff, dataset.shape)
        except SpecificationError as error:
            raise self.error(path, f"'{text}': {error.what}", error.hint) from error
        return ComponentSpecification(
            part, decomposition.parts.index(part), cutoff, reference, self.block.rescaling
        )

    def references(self, kind: Kind, key: str, items: list[Named]) -> list[Reference]:
        """Checked references to the parts that a list names."""
        return [self.reference(kind, item, (key, position)) for position, item in enumerate(items)]

    def reference(self, kind: Kind, item: Named, path: Path) -> Reference:
        """A checked reference to a plugin's part."""
        try:
            if isinstance(item, str):
                reference = self._registry.resolve(kind, *parse_label(item))
            else:
                ((name, parameters),) = item.items()
                reference = self._registry.resolve(kind, name, parameters or {})
        except SpecificationError as error:
            raise self.error(path, error.what, error.hint) from error
        self._check_paths(reference, self._origin(path))
        return reference

    def _check_paths(self, reference: Reference, origin: Path) -> None:
        """Refuse paths out of the data root that a file asks for; users may name any themselves."""
        schema = self._registry.get(reference.kind, reference.name).schema
        for name, text in schema.paths(reference.parameters):
            own_word = self._file.is_overridden((*origin, reference.name, name))
            if own_word or stays_below(self._location, text):
                continue
            raise self._file.error(
                origin,
                f"the path '{text}' leads out of the data root "
                f"({self._location.root or 'the working folder'})",
                "suites may only name what lies below it; if you want this one, say "
                f"--{reference.kind} {shlex.quote(reference.label)}, or --data-root with a folder "
                "above it",
            )

    def _origin(self, path: Path) -> Path:
        """Where a value was said: by the block or by the whole suite, at this scale or at any."""
        suite = self._file.suite
        block = suite.blocks[self._index]
        layers: list[tuple[Path, BlockSchema | None]] = [
            (("blocks", self._index, "quick"), block.quick if suite.scale == "quick" else None),
            (("blocks", self._index), block),
            (("quick",), suite.quick if suite.scale == "quick" else None),
        ]
        for place, layer in layers:
            # What the command line replaced is gone from here.
            if layer is not None and getattr(layer, str(path[0]), None) is not None:
                return (*place, *path)
        return path

    def error(self, path: Path, problem: str, hint: str | None = None) -> SpecificationError:
        """The complaint at the line that says what is wrong."""
        return self._file.error(self._origin(path), problem, hint)
