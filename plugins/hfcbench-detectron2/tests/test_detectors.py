"""Detectors against detectron2's own predictor."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("detectron2", reason="detectron2 is not installed")

from hfcbench_detectron2.configuration import read_config
from hfcbench_detectron2.detector import Detectron2
from safetensors.torch import save_file

from hfcbench.detection_types import Target
from hfcbench.devices import deterministic
from hfcbench.errors import DataError, NodeError, SpecificationError
from hfcbench.training.checkpoints import load_checkpoint, save_checkpoint
from hfcbench.types import DataLocation

CLASSES = ("disc", "ring", "star")
NOWHERE = DataLocation()
# Small and random: the scores of every box are near each other, so all thresholds are low.
TINY = {
    "MODEL.RESNETS.DEPTH": 18,
    "MODEL.RESNETS.RES2_OUT_CHANNELS": 64,
    "MODEL.RESNETS.NORM": "BN",
    "MODEL.BACKBONE.FREEZE_AT": 0,
    "MODEL.FPN.OUT_CHANNELS": 32,
    "MODEL.ROI_BOX_HEAD.FC_DIM": 32,
    "MODEL.ROI_HEADS.SCORE_THRESH_TEST": 0.0,
    "MODEL.RETINANET.SCORE_THRESH_TEST": 0.001,
    "INPUT.MIN_SIZE_TEST": 96,
    "INPUT.MAX_SIZE_TEST": 140,
}
RETINANET = "COCO-Detection/retinanet_R_50_FPN_1x.yaml"
FASTER = "COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml"
MASK = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.yaml"
CASCADE = "Misc/cascade_mask_rcnn_R_50_FPN_1x.yaml"
every_config = pytest.mark.parametrize("config", [RETINANET, FASTER, MASK, CASCADE])


def build(config=RETINANET, classes=CLASSES, seed=0, location=NOWHERE, **parameters):
    torch.manual_seed(seed)
    parameters = {"options": TINY} | parameters
    return Detectron2(config, **parameters).build(classes, location).eval()


def photograph(height=60, width=80):
    draw = np.random.default_rng(1)
    return draw.integers(0, 256, (height, width, 3), dtype=np.uint8)


def as_images(*photographs):
    return torch.stack([torch.from_numpy(p).permute(2, 0, 1).float() / 255 for p in photographs])


def targets(*counts):
    generator = torch.Generator().manual_seed(2)
    made = []
    for count in counts:
        corners = torch.rand(count, 2, generator=generator) * 30
        sizes = torch.rand(count, 2, generator=generator) * 20 + 5
        classes = torch.randint(len(CLASSES), (count,), generator=generator)
        made.append(Target(torch.cat([corners, corners + sizes], 1), classes))
    return made


def predictor_of(config, classes, options=TINY):
    """Detectron2's own, with masks and keypoints where the configuration has them."""
    from detectron2.config import get_cfg
    from detectron2.engine.defaults import DefaultPredictor
    from hfcbench_detectron2.configuration import zoo_folder

    cfg = get_cfg()
    cfg.merge_from_file(str(zoo_folder() / config))
    cfg.merge_from_list([part for pair in options.items() for part in pair])
    cfg.MODEL.RETINANET.NUM_CLASSES = cfg.MODEL.ROI_HEADS.NUM_CLASSES = classes
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.WEIGHTS = ""
    return DefaultPredictor(cfg)


@every_config
@pytest.mark.parametrize("order", ["BGR", "RGB"])
def test_boxes_are_those_of_the_default_predictor(config, order):
    options = TINY | {"INPUT.FORMAT": order}
    module = build(config, options=options)
    theirs = predictor_of(config, len(CLASSES), options)
    theirs.model.load_state_dict(module.network.state_dict(), strict=False)
    for size in ((60, 80), (200, 90), (96, 120)):
        pixels = photograph(*size)
        with torch.no_grad():
            (found,) = module(as_images(pixels))
        expected = theirs(pixels[:, :, ::-1])["instances"]
        assert len(found.scores) >= 10
        assert torch.equal(found.boxes, expected.pred_boxes.tensor)
        assert torch.equal(found.scores, expected.scores)
        assert torch.equal(found.classes, expected.pred_classes)


def test_weights_of_coco_are_asked_about_the_datasets_classes_only(tmp_path):
    classes = ["dog", "person", "toothbrush"]
    source = build(classes=[str(number) for number in range(80)])
    torch.save({"model": source.network.state_dict(), "iteration": 3}, tmp_path / "own.pth")
    module = build(
        classes=classes,
        location=DataLocation(tmp_path),
        weights="own.pth",
        weights_classes="config",
    )
    theirs = predictor_of(RETINANET, 80, TINY | {"TEST.DETECTIONS_PER_IMAGE": 10**6})
    theirs.model.load_state_dict(source.network.state_dict())
    pixels = photograph()
    with torch.no_grad():
        (found,) = module(as_images(pixels))
    expected = theirs(pixels[:, :, ::-1])["instances"]
    labels = torch.tensor([16, 0, 79])  # detectron2's numbers of these names
    kept = torch.isin(expected.pred_classes, labels)
    assert 10 < kept.sum() < len(kept)
    assert torch.equal(found.boxes, expected.pred_boxes.tensor[kept][:100])
    assert torch.equal(found.scores, expected.scores[kept][:100])
    assert torch.equal(labels[found.classes], expected.pred_classes[kept][:100])


@every_config
def test_what_a_picture_gets_does_not_depend_on_its_batch(config):
    module = build(config)
    images = as_images(photograph(), photograph()[::-1].copy())
    images = torch.cat([images, images * 2 - 0.7])
    with torch.no_grad():
        for image, found in zip(images, module(images), strict=True):
            (alone,) = module(image[None])
            assert 0 < len(found.scores) == len(alone.scores) <= 100
            assert (found.scores.diff() <= 0).all()
            near = torch.cdist(
                found.boxes, alone.boxes, compute_mode="donot_use_mm_for_euclid_dist"
            )
            assert near.min(1).values.quantile(0.9) < 1e-3
            torch.testing.assert_close(found.scores, alone.scores, rtol=1e-4, atol=1e-6)


@every_config
def test_losses_repeat_and_reach_the_parameters(config):
    gradients = []
    for _ in range(2):
        module = build(config).train()
        images = [as_images(photograph())[0], as_images(photograph(70, 50))[0]]
        (some, none) = targets(3, 0)
        with deterministic():
            loss = module.loss(images, [some, none])
            loss.backward()
        assert torch.isfinite(loss)
        assert loss > 0.1
        gradients.append(torch.cat([p.grad.flatten() for p in module.parameters()]))
    assert torch.equal(*gradients)
    assert torch.isfinite(gradients[0]).all()


def test_losses_are_those_of_detectron2():
    from detectron2.structures import Boxes, Instances

    module = build().train()
    image, (target,) = as_images(photograph(60, 80))[0], targets(4)
    flat = Target(torch.cat([target.boxes, torch.tensor([[3.0, 3, 3, 30]])]),
                  torch.cat([target.classes, torch.tensor([0])]))  # fmt: skip
    loss = module.loss([image], [flat])
    module.eval()  # detectron2's normaliser of losses is a running mean
    reference = build().train().network
    from PIL import Image

    pixels = np.array(Image.fromarray(photograph(60, 80)).resize((128, 96), Image.BILINEAR))
    instances = Instances((96, 128))
    instances.gt_boxes = Boxes(target.boxes * 1.6)
    instances.gt_classes = target.classes
    tensor = torch.from_numpy(pixels[:, :, ::-1].astype("float32").transpose(2, 0, 1).copy())
    from hfcbench_detectron2.library import EventStorage

    with EventStorage():
        expected = reference([{"image": tensor, "instances": instances}])
    torch.testing.assert_close(loss, sum(expected.values()))


def test_a_checkpoint_holds_all_of_it(tmp_path):
    module = build()
    save_checkpoint(module, tmp_path / "checkpoint.safetensors")
    other = build(seed=1)
    images = as_images(photograph())
    with torch.no_grad():
        (expected,) = module(images)
        load_checkpoint(other, tmp_path / "checkpoint.safetensors", None)
        (found,) = other(images)
    assert torch.equal(found.boxes, expected.boxes)
    assert torch.equal(found.scores, expected.scores)


@pytest.mark.parametrize("kind", ["pth", "safetensors", "pkl", "hfcbench"])
def test_own_files_are_read(kind, tmp_path):
    trained = build(seed=3)
    state = trained.network.state_dict()
    path = tmp_path / f"own.{'safetensors' if kind == 'hfcbench' else kind}"
    if kind == "pth":
        torch.save({"model": state, "optimizer": {"param_groups": [{"lr": 0.1}]}}, path)
    elif kind == "safetensors":
        save_file(state, path)
    elif kind == "hfcbench":
        save_checkpoint(trained, path)
    else:
        arrays = {name: tensor.numpy() for name, tensor in state.items()}
        path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2 Model Zoo"}))
    location = DataLocation(tmp_path)
    module = build(location=location, weights=path.name)
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    sums = {
        Detectron2(RETINANET, weights=path.name).files_sha256(location),
        Detectron2(RETINANET).files_sha256(location),
    }
    path.write_bytes(b"other")
    sums.add(Detectron2(RETINANET, weights=path.name).files_sha256(location))
    assert len(sums) == 3
    with pytest.raises(DataError, match=r"none\.pth cannot be read"):
        Detectron2(RETINANET, weights="none.pth").files_sha256(location)


def test_files_that_do_not_fit_are_one_message(tmp_path):
    location = DataLocation(tmp_path)
    path = tmp_path / "own.pth"
    with pytest.raises(NodeError, match=r"own.pth cannot be read: No such file|\[Errno 2\]"):
        build(location=location, weights="own.pth")
    torch.save({"model": torch.nn.Linear(2, 2)}, path)
    with pytest.raises(NodeError, match="hold more than tensors, and are not unpickled"):
        build(location=location, weights="own.pth")
    torch.save({"model": build(classes=["a", "b"]).network.state_dict()}, path)
    with pytest.raises(NodeError, match=r"of another network: head.cls_score.weight is \(18,"):
        build(location=location, weights="own.pth")
    torch.save({"model": build(FASTER).network.state_dict()}, path)
    with pytest.raises(NodeError, match="is missing"):
        build(location=location, weights="own.pth")
    torch.save([1, 2], path)
    with pytest.raises(NodeError, match="no checkpoint of detectron2"):
        build(location=location, weights="own.pth")


def test_a_configuration_of_ones_own(tmp_path):
    location = DataLocation(tmp_path)
    cfg = read_config(Detectron2(RETINANET, options=TINY), NOWHERE)
    (tmp_path / "config.yaml").write_text(cfg.dump())
    module = build("config.yaml", options={}, location=location)
    expected = build()
    images = as_images(photograph())
    with torch.no_grad():
        (found,), (reference,) = module(images), expected(images)
    assert torch.equal(found.boxes, reference.boxes)
    before = Detectron2("config.yaml").files_sha256(location)
    (tmp_path / "base.yaml").write_text(cfg.dump())
    (tmp_path / "config.yaml").write_text("_BASE_: base.yaml\nINPUT: {MIN_SIZE_TEST: 64}\n")
    after = Detectron2("config.yaml").files_sha256(location)
    cfg.INPUT.MAX_SIZE_TEST = 150
    (tmp_path / "base.yaml").write_text(cfg.dump())
    assert len({before, after, Detectron2("config.yaml").files_sha256(location), None}) == 4
    assert Detectron2(RETINANET).files_sha256(location) is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("COCO-Detection/rpn_R_50_FPN_1x.yaml", "is for a ProposalNetwork"),
        ("COCO-Detection/fast_rcnn_R_50_FPN_1x.yaml", "is for proposals of its own making"),
        ("COCO-PanopticSegmentation/panoptic_fpn_R_50_1x.yaml", "is for a PanopticFPN"),
        (RETINANET, "without weights they are random"),
    ],
)
def test_configurations_that_are_no_detectors_are_refused(config, message):
    with pytest.raises(SpecificationError, match=message):
        Detectron2(config).check(CLASSES)


def test_a_configuration_that_is_nowhere_gets_the_nearest_names():
    with pytest.raises(SpecificationError, match=r"neither a file nor a name .* did you mean") as e:
        build("COCO-Detection/retinanet_R_50_FPN_2x.yaml")
    assert f"'{RETINANET}'" in str(e.value)


def test_code_in_a_configuration_is_not_run(tmp_path):
    made = tmp_path / "made"
    (tmp_path / "bad.yaml").write_text(
        f"VERSION: 2\nOUTPUT_DIR: !!python/object/apply:os.mkdir ['{made}']\n"
    )
    with pytest.raises(SpecificationError, match="has a tag of YAML that runs code"):
        build("bad.yaml", location=DataLocation(tmp_path))
    assert not made.exists()
    (tmp_path / "bad.yaml").write_text("VERSION: 2\nMODEL: {NO_SUCH_KEY: 3}\n")
    with pytest.raises(SpecificationError, match="NO_SUCH_KEY"):
        build("bad.yaml", location=DataLocation(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"MODEL.RETINANET.SCORE": 0.1}, "cannot take its options: Non-existent key"),
        ({"INPUT.MIN_SIZE_TEST": "large"}, "cannot take its options"),
    ],
)
def test_options_that_detectron2_does_not_know_are_refused(options, message):
    with pytest.raises(SpecificationError, match=message):
        Detectron2(RETINANET, weights="zoo", options=options).check(["person"])


def test_classes_that_the_zoo_does_not_know_are_named():
    detector = Detectron2(RETINANET, weights="zoo")
    detector.check(["person", "hair drier"])
    with pytest.raises(SpecificationError, match="do not know 1 of the dataset's 2 classes: 'men'"):
        detector.check(["person", "men"])


def test_weights_of_the_zoo_come_through_detectron2s_checkpointer(tmp_path, monkeypatch):
    from hfcbench_detectron2 import weights

    source = build(classes=[str(number) for number in range(80)], seed=5).network.state_dict()
    arrays = {name: tensor.numpy() for name, tensor in source.items()}
    path = tmp_path / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2 Model Zoo"}))
    monkeypatch.setattr(weights, "zoo_url", lambda _: str(path))
    module = build(classes=["person", "cat"], weights="zoo")
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(tensor, source[name]), name
    path.unlink()
    with pytest.raises(NodeError, match=r"could not be loaded: .*not found") as caught:
        build(classes=["person"], weights="zoo")
    assert "weights_classes=config" in str(caught.value)


def test_a_zoo_that_cannot_be_read_says_what_it_needs(monkeypatch):
    for name in ("detectron2.model_zoo", "detectron2.model_zoo.model_zoo"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    with pytest.raises(NodeError, match="cannot read the list of its weights") as caught:
        build(classes=["person"], weights="zoo")
    assert 'pip install "setuptools<81"' in str(caught.value)
