"""File names of pages; what plugins and databases call things never gets into one unchecked."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from hfcbench.results.records import DatasetRecord

INDEX = "index.html"
DATASETS = "datasets/index.html"
DETECTION = "detection.html"
CLAIMS = "claims.html"
_DIGITS = 16
_HEX = re.compile(r"[0-9a-f]{64}")
_LONGEST = 40


def training_pages(identities: Iterable[str]) -> Mapping[str, str]:
    """The page of each training: enough digits of its identity, all of them where some agree."""
    full = {identity: _hexadecimal(identity) for identity in identities}
    beginnings = Counter(digits[:_DIGITS] for digits in full.values())
    return {
        identity: f"trainings/{digits[:_DIGITS] if beginnings[digits[:_DIGITS]] == 1 else digits}"
        ".html"
        for identity, digits in full.items()
    }


def dataset_page(record: DatasetRecord) -> str:
    """The page of a dataset: what its name has of letters and digits, and a digest of it all."""
    plain = re.sub(r"[^a-z0-9]+", "-", record.name.lower()).strip("-")[:_LONGEST].strip("-")
    content = "\0".join((record.name, record.version, record.fingerprint))
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return f"datasets/{plain or 'dataset'}-{digest[:10]}.html"


def anchor(text: str) -> str:
    """A name for a place in a page, different for different texts."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"s{digest[:10]}"


def from_page(page: str, target: str) -> str:
    """The address of a page as seen from another one; both as paths in the site."""
    return "../" * page.count("/") + target


def _hexadecimal(identity: str) -> str:
    if _HEX.fullmatch(identity):
        return identity
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
