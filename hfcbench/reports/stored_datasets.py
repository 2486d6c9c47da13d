"""Datasets as a results database knows them, for planning where their images are not at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.errors import DataError
from hfcbench.references import Reference
from hfcbench.runner.dataset_access import dataset_key, title_of
from hfcbench.runner.specification import DatasetKey
from hfcbench.types import DataLocation

if TYPE_CHECKING:
    from hfcbench.results.store import Store


@dataclass(frozen=True)
class StoredDatasets:
    """Finds datasets by title and version in a database; of several contents the newest."""

    store: Store
    location: DataLocation
    command: str

    def key(self, reference: Reference) -> DatasetKey:
        """The dataset as specifications refer to it.

        Raises:
            DataError: the database holds no results on it.
        """
        title = title_of(reference)
        records = self.store.datasets()
        for record in reversed(records):
            if (record.name, record.version) == (title, reference.version):
                return dataset_key(reference, record.fingerprint, record.description)
        known = ", ".join(sorted({record.name for record in records})) or "none"
        raise DataError(
            f"the database holds no results on dataset {title} (version {reference.version}); it "
            f"has: {known}",
            hint=f"run it: {self.command}",
        )
