"""Uncertainty from per-image answers: intervals, paired tests, corrections, ranks."""

from hfcbench.results.statistics.answers import Answers, ImageSet
from hfcbench.results.statistics.contrasts import contrast_variance, share_variance
from hfcbench.results.statistics.corrections import METHODS, adjusted
from hfcbench.results.statistics.intervals import Interval, bootstrap_interval, wilson
from hfcbench.results.statistics.pairs import PairedComparison, compare_pair
from hfcbench.results.statistics.ranks import rank_intervals
from hfcbench.results.statistics.worst_case import worst_case

__all__ = [
    "METHODS",
    "Answers",
    "ImageSet",
    "Interval",
    "PairedComparison",
    "adjusted",
    "bootstrap_interval",
    "compare_pair",
    "contrast_variance",
    "rank_intervals",
    "share_variance",
    "wilson",
    "worst_case",
]
