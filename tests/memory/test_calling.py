"""A model that is called in parts gives the same answers and gradients, and needs less memory."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from hfcbench.adversarial.fast_model import FastModel
from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.errors import NodeError
from hfcbench.memory.calling import called_in_parts
from hfcbench.memory.part_size import PartSize

IMAGES = torch.rand(20, 3, 4, 4, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(20) % 3


def gradient_of(model):
    return gradient_and_logits(model, IMAGES, LABELS)


def fitted(model, part_size, attempt):
    with called_in_parts(model, part_size):
        return part_size.fitted(attempt)


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu", "windows", "python"])
def test_answers_and_gradients_are_the_same_to_the_last_bit(kind, memory, needy, errors):
    expected = gradient_of(needy(memory(100)).eval())
    tight = memory(7, errors[kind])
    model = needy(tight).eval()
    part_size = PartSize()

    found = fitted(model, part_size, lambda: gradient_of(model))

    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)
    # 20, 10, then 6 fit; each was tried once, and nothing of a failed attempt was still there.
    assert tight.failures == [20, 10]
    assert part_size.images == 6
    assert tight.peak <= 7
    assert tight.used == 0
    assert part_size.notes == ("out of memory at 20 images: in parts of 6 from there on",)


def test_without_gradients_too(memory, needy):
    expected = needy(memory(100))(IMAGES)
    tight = memory(5)
    model, part_size = needy(tight), PartSize()
    with torch.inference_mode():
        found = fitted(model, part_size, lambda: model(IMAGES))
    assert torch.equal(found, expected)
    assert tight.failures == [20, 10, 6]
    assert part_size.images == 4


def test_a_graph_of_parts_fills_no_more_memory_than_one_part(memory, needy):
    """The ledger tells apart: without computing again, the parts' graphs pile up."""
    tight = memory(7)
    model = needy(tight)
    with pytest.raises(torch.OutOfMemoryError):
        torch.cat([model(part) for part in torch.split(IMAGES.requires_grad_(), 6)])
    IMAGES.requires_grad_(False)


def test_where_everything_fits_nothing_is_another(memory, needy):
    roomy = memory(20)
    model, part_size = needy(roomy).eval(), PartSize()
    fitted(model, part_size, lambda: gradient_of(model))
    assert part_size.images is None
    assert part_size.notes == ()
    assert "forward" not in vars(model)


def test_the_smaller_size_is_kept(memory, needy):
    tight = memory(7)
    model, part_size = needy(tight).eval(), PartSize()
    for _ in range(3):
        fitted(model, part_size, lambda: gradient_of(model))
    assert tight.failures == [20, 10]


def test_a_copy_answers_with_its_own_weights_and_shares_the_size(memory, needy):
    tight = memory(7)
    model, part_size = needy(tight).eval(), PartSize()
    with called_in_parts(model, part_size), torch.no_grad():
        other = copy.deepcopy(model)
        other.weight.mul_(2)
        found = part_size.fitted(lambda: other(IMAGES))
        assert part_size.images == 6
        assert torch.equal(model(IMAGES), needy(memory(20))(IMAGES))
        assert tight.failures == [20, 10]
        expected = needy(memory(20))
        expected.weight.mul_(2)
        assert torch.equal(found, expected(IMAGES))


def test_the_model_stays_what_it_is_for_whoever_looks_into_it():
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    names = [name for name, _ in model.named_modules()]
    with called_in_parts(model, PartSize()):
        assert isinstance(model, nn.Sequential)
        assert [name for name, _ in model.named_modules()] == names
        model[1] = nn.Linear(48, 5)
        assert model(IMAGES).shape == (20, 5)
    assert "forward" not in vars(model)


def test_a_forward_of_its_own_is_there_again_afterwards():
    model = nn.Flatten()
    own = vars(model)["forward"] = lambda images: images + 1
    part_size = PartSize()
    with called_in_parts(model, part_size):
        assert torch.equal(model(IMAGES), IMAGES + 1)
    assert vars(model)["forward"] is own


class Convolutional(nn.Module):
    """Can be traced, and folded; answers are three sums of a convolution."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 3, 3)
        self.normalisation = nn.BatchNorm2d(3)

    def forward(self, images):
        return torch.relu(self.normalisation(self.convolution(images))).sum((2, 3))


class Twice(nn.Module):
    """A defence that does not say that it lets attacks through, around the model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images * 2)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_folded_model_is_still_called_in_parts(wrapped):
    model = Convolutional().eval()
    part_size = PartSize()
    with called_in_parts(model, part_size):
        fast = FastModel(Twice(model) if wrapped else model, IMAGES[:4])
    assert fast.folded == 1
    counts: list[int] = []
    convolutions = [part for part in fast.modules() if isinstance(part, nn.Conv2d)]
    convolutions[0].register_forward_pre_hook(lambda _, given: counts.append(len(given[0])))
    fast(IMAGES)
    assert counts == [20]
    part_size.images = 8
    fast(IMAGES)
    assert counts == [20, 8, 8, 4]


def test_folding_that_does_not_fit_is_no_reason_to_be_slow(monkeypatch, errors):
    """A model that cannot be folded is attacked as it is; memory is another matter."""

    def fails(model):
        raise errors["cuda"]()

    monkeypatch.setattr("hfcbench.adversarial.fast_model.fold", fails)
    with pytest.raises(torch.OutOfMemoryError):
        FastModel(Convolutional().eval(), IMAGES[:4])


def test_where_one_image_is_too_many_the_error_says_so(memory, needy):
    model, part_size = needy(memory(0.5)).eval(), PartSize()
    with pytest.raises(NodeError, match=r"with one image of 3x4x4 in the model \(asked for 2\.50"):
        fitted(model, part_size, lambda: gradient_of(model))
    # The next work of the node is not slow for that.
    assert part_size.images is None


def test_what_does_not_come_from_the_model_is_not_tried_again(memory, needy, errors):
    model, part_size = needy(memory(20)), PartSize()
    calls = []

    def attempt():
        calls.append(len(calls))
        with torch.no_grad():
            model(IMAGES)
        raise errors["cpu"]()

    with pytest.raises(NodeError, match=r"^out of memory \(asked for 3.00 GiB\)"):
        fitted(model, part_size, attempt)
    assert calls == [0]


def test_an_error_that_somebody_keeps_holds_no_memory(memory, needy):
    """A debugger, a log: the frames that it came through must not keep the first attempt's work."""
    tight = memory(16)
    model, part_size = needy(tight).eval(), PartSize()
    kept = []

    def attempt():
        work = tight.take(9)
        try:
            return gradient_of(model)
        except torch.OutOfMemoryError as error:
            kept.append(error)
            raise
        finally:
            assert len(work) == 9

    fitted(model, part_size, attempt)
    assert tight.failures == [29, 19]
    assert len(kept) == 2


def unclear() -> Exception:
    return RuntimeError("could not create a primitive")


def test_an_error_that_may_mean_memory_is_tried_with_less_of_it(memory, needy):
    tight = memory(7, unclear)
    model, part_size = needy(tight).eval(), PartSize()
    found = fitted(model, part_size, lambda: gradient_of(model))
    assert torch.equal(found[0], gradient_of(needy(memory(20)).eval())[0])
    assert tight.failures == [20, 10]
    # Where that does not help, it is told as what it is.
    model, part_size = needy(memory(0.5, unclear)).eval(), PartSize()
    with pytest.raises(RuntimeError, match=r"^could not create a primitive$"):
        fitted(model, part_size, lambda: gradient_of(model))
    assert part_size.images is None
    assert part_size.notes == ()


def test_other_errors_pass_as_they_are(memory, needy):
    model, part_size = needy(memory(20)), PartSize()

    def attempt():
        model(IMAGES)
        raise RuntimeError("another")

    with pytest.raises(RuntimeError, match="another"):
        fitted(model, part_size, attempt)
    assert part_size.images is None
