"""Every statement on hand-made results where the right verdict is known."""

from __future__ import annotations

import math

import pytest
from build_results import RESNET, N, Results, right_from

from hfcbench.reports.claims.checking import check_statement
from hfcbench.reports.claims.statements import STATEMENTS
from hfcbench.sampling import chosen_images

BY_NAME = {statement.name: statement for statement in STATEMENTS}
ADVERSARIAL = "adversarial-training"
SMOOTHED, MOST = "kernel-smoothing(rho=0.25)", "kernel-smoothing"


def learned_first(difference):
    found = Results().training()
    for epoch, gap in ((1, difference), (10, -difference)):
        found.curve("train", "lfc@4", 0.5 + gap, epoch).curve("train", "hfc@4", 0.5, epoch)
    return found


def shuffled(difference):
    # Near the margin either way: an effect of 0.02 is none, one of 0.3 is one.
    size = 0.01 if difference > 0 else 0.3 if difference < 0 else 0.1
    return (
        Results()
        .training("label-shuffling")
        .curve("train", "lfc@4", 0.5 + size)
        .curve("train", "hfc@4", 0.5)
    )


def of_components(difference):
    found = Results()
    for radius in (4, 8):
        found.training(trained_on=f"lfc@{radius}").score(0.5 + (difference if radius == 8 else 0.3))
        found.training(trained_on=f"hfc@{radius}").score(0.5)
    return found


def hfc_of(better, worse, *others):
    def make(difference):
        found = Results()
        for name in (better, worse, *others):
            found.training(name)
            value = 0.3 + (difference if name == better else 0.0)
            for radius in (4, 8):
                found.curve("test", f"hfc@{radius}", value).curve("test", f"lfc@{radius}", 0.1)
        return found

    return make


def gap_of(small, large):
    def make(difference):
        found = Results()
        for name, gap in ((small, 0.2), (large, 0.2 + difference)):
            found.training(name).curve("train", "original", 0.6 + gap)
            found.curve("test", "original", 0.6)
        return found

    return make


def architectures(difference):
    found = Results()
    for model, gap, accuracy in (
        ("lenet5", 0.2 + difference, 0.5),
        ("vgg11", 0.8, 0.2),
        (RESNET, 0.2, 0.5 + difference),
    ):
        found.training(model=model).score(accuracy)
        found.curve("train", "original", 0.15 + gap).curve("test", "original", 0.15)
    return found


def batchnorm_gain(difference):
    found = Results()
    for radius, gain in ((4, 0.2), (16, 0.2 + difference)):
        found.training(trained_on=f"lfc@{radius}").score(0.3)
        found.training("batchnorm", trained_on=f"lfc@{radius}").score(0.3 + gain)
    return found


def kernels(difference):
    found = Results()
    for name, share in (("vanilla", 0.4 + difference), (f"{ADVERSARIAL}(steps=3)", 0.4)):
        found.training(name).share("high-frequency-share", share, "first-layer-kernels")
    return found


def trades(difference):
    pgd = {"attack": "pgd(steps=5)", "epsilon": 0.03}
    found = Results().training().score(0.8).score(0.2, **pgd).score(0.2, attack="pgd", epsilon=0.06)
    found.score(0.6, defence=SMOOTHED).score(0.2 + difference, defence=SMOOTHED, **pgd)
    return found


def beats(difference):
    found = Results().training(ADVERSARIAL)
    for attack in ("fgsm", "pgd"):
        found.score(0.3, attack=attack, epsilon=0.09)
    found.training()
    for attack, value in (("fgsm", 0.6), ("pgd", 0.3 + difference)):
        found.score(value, attack=attack, epsilon=0.09, defence=MOST)
    return found


def conflicts(difference):
    found = Results().training()
    for cutoff in ("cutoff=4.0", "cutoff=8.0", "", "cutoff=16.0"):
        svd = ", ".join(filter(None, (cutoff, "method=svd")))
        plain = f"prediction-conflicts({cutoff})" if cutoff else "prediction-conflicts"
        found.share("paper-high", 0.2 + difference, plain)
        found.share("paper-high", 0.2, f"prediction-conflicts({svd})")
    return found


def parting(difference):
    found = Results()
    for name, clean, robust in (
        ("batchnorm", 0.9, 0.3),
        ("vanilla", 0.8, 0.0),
        (ADVERSARIAL, 0.7, 0.3 + difference),
    ):
        found.training(name).score(right_from(0, clean))
        # PGD leaves right what is robust, FGSM that and more.
        for attack, share in (("pgd", robust), ("fgsm", robust + 0.1)):
            found.score(right_from(0, share), attack=attack, epsilon=0.03)
    return found


CASES = {
    "natural-learns-lfc-first": learned_first,
    "shuffled-has-no-preference": shuffled,
    "lfc-generalises-better": of_components,
    "batchnorm-raises-hfc": hfc_of("batchnorm", "vanilla"),
    "mixup-raises-hfc": hfc_of("mixup", "vanilla"),
    "adversarial-lowers-hfc": hfc_of("vanilla", ADVERSARIAL),
    "adversarial-narrows-gap": gap_of(ADVERSARIAL, "vanilla"),
    "large-batches-narrow-gap": gap_of("batch-size:1000", "batch-size:50"),
    "small-batches-catch-hfc": hfc_of("batch-size:50", "batch-size:1000", "batch-size:200"),
    "sgd-stands-out": hfc_of("optimizer:SGD(learning_rate=0.01)", "vanilla", "optimizer:Adagrad"),
    "resnet-gap-is-smallest": architectures,
    "resnet-is-most-accurate": architectures,
    "batchnorm-gain-vanishes": batchnorm_gain,
    "adversarial-kernels-are-smoother": kernels,
    "smoothing-trades": trades,
    "smoothing-beats-training": beats,
    "svd-finds-fewer": conflicts,
    "accuracy-and-robustness-part": parting,
}


def finding(name, results):
    (found,) = check_statement(BY_NAME[name], results.study())
    return found


def test_every_statement_has_a_case():
    assert set(CASES) == set(BY_NAME)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("difference", "verdict"), [(0.15, "supported"), (-0.15, "contradicted"), (0.0, "undecided")]
)
def test_the_numbers_decide(name, difference, verdict):
    found = finding(name, CASES[name](difference))
    assert found.verdict == verdict, found.effects


@pytest.mark.parametrize("name", CASES)
def test_without_its_rows_a_statement_is_not_run(name):
    made = CASES[name](0.1)
    made.curves, made.scores, made.quantities = [], [], []
    for training in made.trainings:
        training["done"] = False
    found = finding(name, made)
    assert found.verdict == "not run"
    assert found.command == "run it"
    assert found.deciding is None


def test_effect_and_interval_by_hand():
    found = finding("batchnorm-raises-hfc", CASES["batchnorm-raises-hfc"](0.15)).deciding
    assert found.value == pytest.approx(0.15)

    def variance(share):
        shrunk = (share * N + 1) / (N + 2)
        return shrunk * (1 - shrunk) / N

    reach = 1.959964 * math.sqrt(variance(0.45) + variance(0.3))
    assert (found.low, found.high) == pytest.approx((0.15 - reach, 0.15 + reach), abs=1e-6)
    assert found.seeds == 1


def reach_of(name, made):
    effect = finding(name, made).deciding
    return (effect.high - effect.low) / 2


def test_scores_over_the_same_images_are_compared_image_by_image():
    def accuracies(batchnorm, vanilla):
        made = Results()
        for model, value in (("lenet5", vanilla), (RESNET, batchnorm)):
            made.training(model=model).score(value)
        return made

    # Right on 1000 of 2000 images, and on 100 more: 0, 1, ... 1000 and 0, 1, ... 1100.
    paired = accuracies(right_from(0, 0.55), right_from(0, 0.5))
    effect = finding("resnet-is-most-accurate", paired).deciding
    assert effect.value == pytest.approx(0.05)
    # Agresti and Min: half an image more where only the one, and where only the other is right.
    variance = ((100.5 + 0.5) / (N + 2) - (100 / (N + 2)) ** 2) / N
    assert effect.high - effect.value == pytest.approx(1.959964 * math.sqrt(variance), abs=1e-7)
    assert effect.verdict == "supported"
    unknown = reach_of("resnet-is-most-accurate", accuracies(0.55, 0.5))
    others = accuracies(right_from(0, 0.55), right_from(0, 0.5, N - 2))
    assert effect.high - effect.value < 0.5 * unknown
    assert reach_of("resnet-is-most-accurate", others) == pytest.approx(unknown, rel=1e-3)


def test_a_gain_of_a_gain_is_compared_image_by_image():
    def gains(known):
        made = Results()
        for radius, vanilla, batchnorm in ((4, 0.3, 0.5), (16, 0.3, 0.6)):
            for heuristics, share in (("vanilla", vanilla), ("batchnorm", batchnorm)):
                made.training(heuristics, trained_on=f"lfc@{radius}")
                made.score(right_from(0, share) if known else share)
        return made

    effect = finding("batchnorm-gain-vanishes", gains(True)).deciding
    assert effect.value == pytest.approx(0.1)
    # Of (0.6 - 0.3) - (0.5 - 0.3) only the images from 1000 to 1200 are left, with 1 each. The two
    # added images have four fair coins: mean 0, square 4 * 1/4.
    variance = ((200 + 2) / (N + 2) - (200 / (N + 2)) ** 2) / N
    assert effect.high - effect.value == pytest.approx(1.959964 * math.sqrt(variance), abs=1e-7)
    assert reach_of("batchnorm-gain-vanishes", gains(False)) > 2 * (effect.high - effect.value)


def test_single_answers_are_not_read_where_they_are_not_needed():
    made = architectures(0.1)
    asked = []
    made.read = lambda evaluations: asked.extend(evaluations) or {}
    finding("resnet-gap-is-smallest", made)
    assert asked == []
    finding("resnet-is-most-accurate", made)
    assert set(asked) == {0, 1, 2}


def parted(*cleans, n=N):
    """Two models, a seed for each pair of clean accuracies; n images are attacked.

    Of the vanilla one each attack alone leaves more right than of the other one.
    """
    made = Results()
    # Right under FGSM from 0 to 0.5, under PGD from 0.4 to 0.9: robust are 0.4 to 0.5.
    vanilla = right_from(0, 0.5, n), right_from(round(0.4 * n), 0.5, n)
    for seed, clean in enumerate(cleans or [(0.9, 0.8)]):
        for name, accuracy, (fgsm, pgd) in (
            ("vanilla", clean[0], vanilla),
            (ADVERSARIAL, clean[1], (right_from(0, 0.3, n), right_from(0, 0.3, n))),
        ):
            made.training(name, seed=seed).score(right_from(0, accuracy))
            made.score(fgsm, attack="fgsm", epsilon=0.03)
            made.score(pgd, attack="pgd(steps=5)", epsilon=0.03)
            made.score(right_from(0, 0.0, n), attack="fgsm", epsilon=0.06)
            made.score(right_from(0, 0.0, n), attack="fgsm", epsilon=0.03, defence=MOST)
    return made


def test_robust_is_what_no_attack_of_the_suite_breaks():
    effect = finding("accuracy-and-robustness-part", parted()).deciding
    assert effect.value == pytest.approx(0.3 - 0.1)
    assert effect.of == (
        f"worst case of: fgsm, pgd(steps=5) at 0.03, {RESNET} {ADVERSARIAL} - most accurate "
        f"({RESNET} vanilla)"
    )
    # Robust are 0 to 0.3 and 0.4 to 0.5: the difference is 1 on 600 images and -1 on 200.
    variance = ((800 + 1) / (N + 2) - (400 / (N + 2)) ** 2) / N
    assert effect.high - effect.value == pytest.approx(1.959964 * math.sqrt(variance), abs=1e-7)


def test_attacked_images_may_be_some_of_the_clean_ones():
    # Clean ones are right from 0 to 1800 and 0 to 1600; of the 500 attacked ones this is 0.8 or
    # more of them, in their order, so that it breaks nothing that the attacks leave.
    few = parted(n=500)
    assert chosen_images(N, 500)[249] < 1600
    effect = finding("accuracy-and-robustness-part", few).deciding
    assert effect.value == pytest.approx(0.3 - 0.1)
    variance = ((200 + 1) / 502 - (100 / 502) ** 2) / 500
    assert effect.high - effect.value == pytest.approx(1.959964 * math.sqrt(variance), abs=1e-7)


def test_a_model_that_did_not_face_every_attack_leaves_the_claim_open():
    made = parted()
    of = ("vanilla", "fgsm", 0.03, "none")
    names = ("heuristics", "attack", "epsilon", "defence")
    made.scores = [row for row in made.scores if tuple(row[name] for name in names) != of]
    assert finding("accuracy-and-robustness-part", made).verdict == "not run"


def test_one_more_robust_model_is_enough_and_all_others_count():
    made = parting(0.15)
    found = finding("accuracy-and-robustness-part", made)
    assert [effect.verdict for effect in found.effects] == ["contradicted", "supported"]
    assert found.verdict == "supported"
    # Two comparisons share the 5%: 1.25% on each side.
    variance = ((300 + 1) / (N + 2) - (300 / (N + 2)) ** 2) / N
    effect = found.deciding
    assert effect.high - effect.value == pytest.approx(2.241403 * math.sqrt(variance), abs=1e-7)


def test_the_most_accurate_model_is_so_over_all_seeds():
    found = finding("accuracy-and-robustness-part", parted((0.9, 0.8), (0.8, 0.85), (0.85, 0.8)))
    (effect,) = found.effects
    assert effect.of.endswith(f"({RESNET} vanilla)")
    assert effect.seeds == 3


def test_several_seeds_have_students_interval():
    made = Results()
    for seed, gain in enumerate((0.1, 0.2, 0.3)):
        for name, value in (("vanilla", 0.3), ("mixup", 0.3 + gain)):
            made.training(name, seed=seed).curve("test", "hfc@4", value)
    found = finding("mixup-raises-hfc", made)
    effect = found.deciding
    assert effect.seeds == 3
    # t(0.975, 2) = 4.302653, deviation 0.1
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert (effect.low, effect.high) == pytest.approx((0.2 - reach, 0.2 + reach), abs=1e-6)
    assert found.verdict == "undecided"


def test_what_has_learned_nothing_decides_nothing():
    """A model that answers one class to everything has no gap, and no preference."""
    for known, verdict in ((0.5, "supported"), (0.1, "undecided")):
        made = Results().training().curve("train", "original", 0.9).curve("test", "original", 0.5)
        made.training(ADVERSARIAL).curve("train", "original", known)
        made.curve("test", "original", 0.8 * known)
        found = finding("adversarial-narrows-gap", made)
        assert found.verdict == verdict
        assert ("learned nothing: adversarial-training" in found.deciding.described) == (
            verdict == "undecided"
        )


def test_chance_is_judged_by_the_interval_on_what_was_trained_on():
    # Of 2,000 images and ten classes; the lower end is 0.0999 of 226 right answers, 0.1003 of 227.
    for right, unlearned in ((226, True), (227, False)):
        made = Results()
        for component, value in (("lfc@4", 0.5), ("hfc@4", right / N)):
            made.training(trained_on=component).score(0.3 if component == "lfc@4" else 0.1)
            made.curve("train", component, value).curve("train", "original", 0.1)
        (effect,) = finding("lfc-generalises-better", made).effects
        assert effect.unlearned == (("vanilla on hfc@4",) if unlearned else ())


def test_of_several_comparisons_only_those_of_what_learned_nothing_are_open():
    made = architectures(0.2)
    vgg = next(row for row in made.curves if (row["model"], row["split"]) == ("vgg11", "train"))
    vgg["value"] = 0.1
    lenet, other = finding("resnet-is-most-accurate", made).effects
    assert (lenet.verdict, other.verdict) == ("supported", "undecided")
    assert other.described.endswith("(learned nothing: vgg11 vanilla)")
    assert finding("resnet-is-most-accurate", made).verdict == "undecided"


def test_one_contradicting_radius_decides():
    found = finding("lfc-generalises-better", of_components(-0.2))
    assert [effect.verdict for effect in found.effects] == ["supported", "contradicted"]
    assert found.verdict == "contradicted"
    assert found.deciding.of == "trained on lfc@8 - on hfc@8"


def test_models_are_kept_apart_unless_they_are_compared():
    made = hfc_of("mixup", "vanilla")(0.2)
    for name, value in (("vanilla", 0.5), ("mixup", 0.2)):
        made.training(name, model="lenet5").curve("test", "hfc@4", value)
        made.curve("test", "hfc@8", value)
    found = check_statement(BY_NAME["mixup-raises-hfc"], made.study())
    assert {item.model: item.verdict for item in found} == {
        RESNET: "supported",
        "lenet5": "contradicted",
    }
