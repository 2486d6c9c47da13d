"""The statements of the paper, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hfcbench.reports.claims import comparisons
from hfcbench.reports.claims.comparisons import Comparisons
from hfcbench.reports.claims.sample import Sample


@dataclass(frozen=True)
class Statement:
    """A claim of the paper.

    Attributes:
        name: for the command line.
        text: what is claimed.
        source: where the paper says so.
        suite: what has to be run.
        compare: what is compared, with the effect of one seed; raises ``MissingRowsError``.
        across_models: whether models of one suite are compared with each other.
        any_of: whether one effect in its favour is enough; else all must be.
        within: see :class:`hfcbench.reports.claims.estimates.Effect`.
    """

    name: str
    text: str
    source: str
    suite: str
    compare: Callable[[Sample], Comparisons]
    across_models: bool = False
    any_of: bool = False
    within: float | None = None


STATEMENTS = (
    Statement(
        "natural-learns-lfc-first",
        "with true labels, low frequencies are learned before high ones",
        "section 4.2, figure 3",
        "paper/fig3",
        comparisons.natural_learns_lfc_first,
    ),
    Statement(
        "shuffled-has-no-preference",
        "with shuffled labels, low frequencies are not preferred (by at most 0.1)",
        "section 4.2, figure 3",
        "paper/fig3",
        comparisons.shuffled_has_no_preference,
        within=0.1,
    ),
    Statement(
        "lfc-generalises-better",
        "trained on LFCs, a model does better on originals than trained on HFCs, at every radius",
        "section 4.2, table 1",
        "paper/table1",
        comparisons.lfc_generalises_better,
    ),
    Statement(
        "batchnorm-raises-hfc",
        "BatchNorm raises accuracy on HFCs",
        "section 5.1, figure 5",
        "paper/fig5",
        comparisons.raises_hfc("batchnorm"),
    ),
    Statement(
        "mixup-raises-hfc",
        "mix-up raises accuracy on HFCs",
        "section 5.1, figure 5",
        "paper/fig5",
        comparisons.raises_hfc("mixup"),
    ),
    Statement(
        "adversarial-lowers-hfc",
        "adversarial training lowers accuracy on HFCs",
        "section 5.1, figure 5",
        "paper/fig5",
        comparisons.adversarial_lowers_hfc,
    ),
    Statement(
        "adversarial-narrows-gap",
        "adversarial training narrows the gap between train and test accuracy",
        "section 5.1, figure 5",
        "paper/fig5",
        comparisons.adversarial_narrows_gap,
    ),
    Statement(
        "large-batches-narrow-gap",
        "large batches narrow the gap between train and test accuracy",
        "section 5.1, figure 4",
        "paper/fig4",
        comparisons.large_batches_narrow_gap,
    ),
    Statement(
        "small-batches-catch-hfc",
        "small batches catch more of the HFCs",
        "section 5.1, figure 4",
        "paper/fig4",
        comparisons.small_batches_catch_hfc,
    ),
    Statement(
        "sgd-stands-out",
        "SGD catches more of the HFCs than every other optimizer",
        "section 5.1",
        "paper/optimizers",
        comparisons.sgd_stands_out,
    ),
    Statement(
        "resnet-gap-is-smallest",
        "ResNet has the smallest gap between train and test accuracy",
        "section 5.1",
        "paper/architectures",
        comparisons.resnet_gap_is_smallest,
        across_models=True,
    ),
    Statement(
        "resnet-is-most-accurate",
        "ResNet has the best test accuracy",
        "section 5.1",
        "paper/architectures",
        comparisons.resnet_is_most_accurate,
        across_models=True,
    ),
    Statement(
        "batchnorm-gain-vanishes",
        "BatchNorm gains least where only the lowest frequencies are trained on",
        "section 5.2, figure 6",
        "paper/fig6",
        comparisons.batchnorm_gain_vanishes,
    ),
    Statement(
        "adversarial-kernels-are-smoother",
        "adversarial training makes the first layer's kernels smoother",
        "section 6.2, figure 7",
        "paper/fig7",
        comparisons.adversarial_kernels_are_smoother,
    ),
    Statement(
        "smoothing-trades",
        "smoothing kernels trades clean accuracy for accuracy under attack",
        "section 6.3, table 2",
        "paper/table2",
        comparisons.smoothing_trades,
    ),
    Statement(
        "smoothing-beats-training",
        "smoothing beats adversarial training under strong attacks",
        "section 6.3, table 2",
        "paper/table2",
        comparisons.smoothing_beats_training,
    ),
    Statement(
        "svd-finds-fewer",
        "with singular values, fewer predictions follow the high part alone",
        "section 8",
        "paper/svd",
        comparisons.svd_finds_fewer,
    ),
    Statement(
        "accuracy-and-robustness-part",
        "the most accurate model is not the most robust one",
        "section 3.2, corollary 1",
        "paper/tradeoff",
        comparisons.accuracy_and_robustness_part,
        across_models=True,
        any_of=True,
    ),
)
