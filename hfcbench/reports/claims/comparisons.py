"""What each statement compares, one seed at a time; effects are positive in its favour."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hfcbench.references import parse_label
from hfcbench.reports.claims.estimates import Estimate, mean
from hfcbench.reports.claims.sample import VANILLA, MissingRowsError, Sample

Comparisons = Iterator[tuple[str, Estimate]]

_EARLY = 0.1
_ADVERSARIAL = "adversarial-training"
_SMOOTHED = "kernel-smoothing(rho=0.25)"
_MOST_SMOOTHED = "kernel-smoothing"
_SMALL, _LARGE = 0.03, 0.09


def _preference(sample: Sample, heuristics: str, epoch: int | None = None) -> Estimate:
    """How much better training LFCs are known than training HFCs of the same radii."""
    lows, highs = sample.cutoffs("lfc"), sample.cutoffs("hfc")
    return mean(
        [
            sample.curve("train", low, heuristics, epoch=epoch)
            - sample.curve("train", high, heuristics, epoch=epoch)
            for low, high in zip(lows, highs, strict=True)
        ]
    )


def _hfc(sample: Sample, heuristics: str = VANILLA, model: str | None = None) -> Estimate:
    """Test accuracy on HFCs in the end, mean over radii."""
    highs = sample.cutoffs("hfc")
    return mean([sample.curve("test", high, heuristics, model=model) for high in highs])


def natural_learns_lfc_first(sample: Sample) -> Comparisons:
    epochs = sample.curves[sample.curves["heuristics"] == VANILLA]["epoch"]
    if epochs.empty:
        raise MissingRowsError
    epoch = max(1, round(_EARLY * int(epochs.max())))
    yield f"LFC - HFC, training images, epoch {epoch}", _preference(sample, VANILLA, epoch)


def shuffled_has_no_preference(sample: Sample) -> Comparisons:
    yield "LFC - HFC, training images, last epoch", _preference(sample, "label-shuffling")


def lfc_generalises_better(sample: Sample) -> Comparisons:
    trained_on = sample.planned("trained_on")
    lows = [name for name in trained_on if name.startswith("lfc@")]
    if not lows:
        raise MissingRowsError
    for low in lows:
        high = low.replace("lfc", "hfc")
        difference = sample.score(trained_on=low) - sample.score(trained_on=high)
        yield f"trained on {low} - on {high}", difference


def raises_hfc(heuristics: str) -> Callable[[Sample], Comparisons]:
    """Compares a heuristic with the vanilla model."""

    def compare(sample: Sample) -> Comparisons:
        yield f"HFC, {heuristics} - vanilla", _hfc(sample, heuristics) - _hfc(sample)

    return compare


def adversarial_lowers_hfc(sample: Sample) -> Comparisons:
    (adversarial, *_) = sample.heuristics(_ADVERSARIAL)
    yield "HFC, vanilla - adversarial", _hfc(sample) - _hfc(sample, adversarial)


def adversarial_narrows_gap(sample: Sample) -> Comparisons:
    (adversarial, *_) = sample.heuristics(_ADVERSARIAL)
    yield "train - test, vanilla - adversarial", sample.gap() - sample.gap(adversarial)


def _batches(sample: Sample) -> tuple[str, str]:
    """The labels of the smallest and of the largest batches."""
    labels = sample.heuristics("batch-size:")
    by_size = sorted(labels, key=lambda label: int(parse_label(label)[0].partition(":")[2]))
    if len(by_size) < 2:
        raise MissingRowsError
    return by_size[0], by_size[-1]


def large_batches_narrow_gap(sample: Sample) -> Comparisons:
    small, large = _batches(sample)
    yield f"train - test, {small} - {large}", sample.gap(small) - sample.gap(large)


def small_batches_catch_hfc(sample: Sample) -> Comparisons:
    small, large = _batches(sample)
    yield f"HFC, {small} - {large}", _hfc(sample, small) - _hfc(sample, large)


def sgd_stands_out(sample: Sample) -> Comparisons:
    (sgd, *_) = sample.heuristics("optimizer:SGD")
    for other in sample.planned("heuristics"):
        if other != sgd:
            yield f"HFC, SGD - {other}", _hfc(sample, sgd) - _hfc(sample, other)


def _resnet(sample: Sample) -> tuple[str, list[str]]:
    models = sample.planned("model")
    resnets = [model for model in models if "resnet" in model]
    if len(resnets) != 1 or len(models) < 2:
        raise MissingRowsError
    return resnets[0], [model for model in models if model != resnets[0]]


def resnet_gap_is_smallest(sample: Sample) -> Comparisons:
    resnet, others = _resnet(sample)
    for other in others:
        difference = sample.gap(model=other) - sample.gap(model=resnet)
        yield f"train - test, {other} - {resnet}", difference


def resnet_is_most_accurate(sample: Sample) -> Comparisons:
    resnet, others = _resnet(sample)
    for other in others:
        difference = sample.score(model=resnet) - sample.score(model=other)
        yield f"test accuracy, {resnet} - {other}", difference


def batchnorm_gain_vanishes(sample: Sample) -> Comparisons:
    lows = sorted(
        {name for name in sample.planned("trained_on") if name.startswith("lfc@")},
        key=lambda name: float(name.partition("@")[2]),
    )
    if len(lows) < 2:
        raise MissingRowsError
    gains = {
        low: sample.score("batchnorm", trained_on=low) - sample.score(trained_on=low)
        for low in (lows[0], lows[-1])
    }
    yield f"BatchNorm's gain, {lows[-1]} - {lows[0]}", gains[lows[-1]] - gains[lows[0]]


def adversarial_kernels_are_smoother(sample: Sample) -> Comparisons:
    (adversarial, *_) = sample.heuristics(_ADVERSARIAL)

    def share(heuristics: str) -> Estimate:
        return sample.quantity("high-frequency-share", heuristics, analysis="first-layer-kernels")

    yield "high-frequency share, vanilla - adversarial", share(VANILLA) - share(adversarial)


def smoothing_trades(sample: Sample) -> Comparisons:
    lost = sample.score() - sample.score(defence=_SMOOTHED)
    yield "clean accuracy, plain - smoothed (rho 0.25)", lost
    robust = {"attack": "pgd", "epsilon": _SMALL}
    gained = sample.score(defence=_SMOOTHED, **robust) - sample.score(**robust)  # type: ignore[arg-type]
    yield f"accuracy under PGD {_SMALL}, smoothed (rho 0.25) - plain", gained


def smoothing_beats_training(sample: Sample) -> Comparisons:
    (adversarial, *_) = sample.heuristics(_ADVERSARIAL)
    for attack in ("fgsm", "pgd"):
        robust = {"attack": attack, "epsilon": _LARGE}
        smoothed = sample.score(defence=_MOST_SMOOTHED, **robust)  # type: ignore[arg-type]
        trained = sample.score(adversarial, **robust)  # type: ignore[arg-type]
        yield f"{attack} {_LARGE}, smoothed (rho 1) - adversarial training", smoothed - trained


def svd_finds_fewer(sample: Sample) -> Comparisons:
    for cutoff in ("cutoff=4", "cutoff=8", "", "cutoff=16"):
        shares = []
        for method in ("", "method=svd"):
            parameters = [part for part in (cutoff, method) if part]
            label = "prediction-conflicts" + (f"({', '.join(parameters)})" if parameters else "")
            shares.append(sample.quantity("paper-high", analysis=label))
        yield f"share of images at {cutoff or 'cutoff=12'}, Fourier - SVD", shares[0] - shares[1]


def accuracy_and_robustness_part(sample: Sample) -> Comparisons:
    """Each other model against the most accurate one: choosing the best of them is no comparison.

    One that is more robust is enough.
    """
    if not sample.trainings["done"].all() or len(sample.trainings) < 2:
        raise MissingRowsError
    within = sample.ball(_SMALL)
    names = [
        (str(model), str(heuristics))
        for model, heuristics in sample.trainings[["model", "heuristics"]].to_numpy()
    ]
    accurate = sample.most_accurate()
    best = sample.robust(within, accurate[1], model=accurate[0])
    for name in names:
        if name != accurate:
            yield (
                f"{within.name}, {' '.join(name)} - most accurate ({' '.join(accurate)})",
                sample.robust(within, name[1], model=name[0]) - best,
            )
