"""From answers to single images: intervals, tests, corrections, ranks, worst cases, fronts."""

from hfcbench.results.statistics.answers import Answers, ImageSet
from hfcbench.results.statistics.contrasts import contrast_variance, share_variance
from hfcbench.results.statistics.corrections import METHODS, adjusted
from hfcbench.results.statistics.fronts import pareto_front
from hfcbench.results.statistics.intervals import (
    Interval,
    bootstrap_interval,
    half_width,
    wilson,
)
from hfcbench.results.statistics.pairs import PairedComparison, compare_pair
from hfcbench.results.statistics.pictures import different_pictures
from hfcbench.results.statistics.ranks import overlapping_ranks, rank_intervals
from hfcbench.results.statistics.worst_case import on_images, worst_case

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
    "different_pictures",
    "half_width",
    "on_images",
    "overlapping_ranks",
    "pareto_front",
    "rank_intervals",
    "share_variance",
    "wilson",
    "worst_case",
]
