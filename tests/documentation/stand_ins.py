"""What is run in place of commands that would download much, take long, or need other machines.

Every other command of the documentation is run as it stands.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StandIn:
    """What is run instead of a command.

    Attributes:
        reason: why the command itself is not run.
        add: what is put behind the command.
        swap: words of the command, and what takes their place.
        left_out: nothing at all is run.
    """

    reason: str
    add: str = ""
    swap: Mapping[str, str] | None = None
    left_out: bool = False

    def of(self, command: str) -> str:
        """The command line that is run.

        Raises:
            ValueError: a word that is to be swapped does not stand in the command.
        """
        for word, other in (self.swap or {}).items():
            if word not in command:
                raise ValueError(f"'{word}' does not stand in: {command}")
            command = command.replace(word, other)
        return f"{command} {self.add}".strip()


TINY_STUDY = (
    "--dataset planted-band --model lenet5 --epochs 1 --train-samples 60 --test-samples 40 "
    "--set curves.samples=20"
)
TINY_DETECTION = (
    "--dataset photo-objects --epochs 1 --batch-size 4 --train-samples 8 --test-samples 8 --model "
    "'faster-rcnn(backbone=resnet18, width=8, channels=32, anchor_scale=0.5, shorter_side=32, "
    "longer_side=64, proposals=20, sampled=16, units=16)'"
)

_MINUTES = "takes minutes"
_DOWNLOAD = "downloads a dataset"
_NETWORK = "asks a package index"
_UNTIL_CTRL_C = "goes on until it is ended; tests/serving starts it"
_CLUSTER = "needs further machines"
_CIFAR10 = {"cifar10 --data-root data --download": "photo-patches"}

STAND_INS: Mapping[str, StandIn] = {
    "make run": StandIn(_MINUTES, left_out=True),
    "make test": StandIn("is what runs this test", left_out=True),
    "pip install .": StandIn("installs what this test runs with", left_out=True),
    "hfcbench run --suite smoke --heuristic vanilla --model timm/resnet18": StandIn(
        _MINUTES, add="--dry-run"
    ),
    'hfcbench run --suite smoke --heuristic vanilla --model "timm/resnet18(pretrained=true)"': (
        StandIn("downloads weights", add="--dry-run")
    ),
    "hfcbench run --suite paper --dataset cifar10 --data-root data --download --dry-run": StandIn(
        _DOWNLOAD, swap=_CIFAR10
    ),
    "hfcbench run --suite paper --dataset cifar10 --data-root data --db cifar10.db": StandIn(
        _DOWNLOAD, add="--dry-run", swap={"cifar10 --data-root data": "photo-patches"}
    ),
    "hfcbench figures paper --dataset cifar10 --data-root data --db cifar10.db --out figures": (
        StandIn(
            "draws a study of hours",
            add=TINY_STUDY,
            swap={"paper --dataset cifar10": "paper/fig7 --scale quick"},
        )
    ),
    "hfcbench run --suite smoke --executor ray": StandIn(
        "starts a cluster, which the plugin's own tests do", add="--dry-run"
    ),
    "hfcbench run --suite classification --executor ray --address auto --gpus 0.5 "
    "--db results.db": StandIn(_CLUSTER, add="--dry-run"),
    "hfcbench run --suite detection --data-root DATA --dataset coco:coco --model "
    '"detectron2/COCO-Detection/retinanet_R_50_FPN_1x.yaml(weights=zoo)" --epochs 0 '
    "--component original --component lfc@128 --component hfc@128": StandIn(
        "downloads a dataset and weights, and needs a library that is built for minutes",
        add="--dry-run",
        swap={
            "coco:coco": "photo-objects",
            "detectron2/COCO-Detection/retinanet_R_50_FPN_1x.yaml(weights=zoo)": "retinanet",
            "--epochs 0": "",
            "@128": "@24",
        },
    ),
    "hfcbench run --suite classification --dataset cifar10 --data-root DIR --download "
    "--epochs 100 --seeds 3": StandIn(
        _DOWNLOAD, add="--dry-run", swap={"cifar10": "photo-patches"}
    ),
    "hfcbench run --suite classification": StandIn(_MINUTES, add="--dry-run"),
    "hfcbench run --suite paper --scale quick": StandIn(_MINUTES, add="--dry-run"),
    "hfcbench figures paper/fig7 --scale quick --out figures": StandIn(
        "draws a study of minutes", add=TINY_STUDY
    ),
    "hfcbench run --suite detection": StandIn(
        "draws thousands of pictures", add="--dataset photo-objects --dry-run"
    ),
    "hfcbench run --suite detection --dataset coco:PATH": StandIn(
        _DOWNLOAD, add="--dry-run", swap={"coco:PATH": "photo-objects"}
    ),
    'hfcbench run --suite detection --dataset photo-objects --model "faster-rcnn('
    "backbone=resnet18, width=32, channels=64, anchor_scale=0.5, shorter_side=160, "
    'longer_side=256, proposals=200, sampled=64, units=256)" --epochs 12 --batch-size 2 '
    "--learning-rate 0.001": StandIn(_MINUTES, add="--dry-run"),
    "hfcbench run --suite detection --data-root DATA --dataset coco:coco "
    '--model "retinanet(weights=coco)" --epochs 0 --component original --component lfc@128 '
    "--component hfc@128": StandIn(
        _DOWNLOAD,
        add="--dry-run",
        swap={"coco:coco": "photo-objects", "(weights=coco)": "", "--epochs 0": "", "@128": "@24"},
    ),
    "hfcbench gains --radius 128 --largest 20": StandIn(
        "is of pictures that are larger than those at hand", swap={"128": "24"}
    ),
    "hfcbench figures detection --out figures": StandIn(
        "draws a study of minutes", add=TINY_DETECTION
    ),
    'pip install "hfcbench[report]"': StandIn(_NETWORK, left_out=True),
    'pip install "hfcbench[serve]"': StandIn(_NETWORK, left_out=True),
    "hfcbench report --db runs/results.db --out site --dataset photo-patches": StandIn(
        "reads what `make run` leaves", swap={"runs/": ""}
    ),
    "hfcbench serve --db results.db --open": StandIn(_UNTIL_CTRL_C, add="--help"),
    "hfcbench serve --host 0.0.0.0 --port 8001": StandIn(_UNTIL_CTRL_C, add="--help"),
    "pip install --no-build-isolation git+https://github.com/facebookresearch/detectron2": StandIn(
        "downloads and builds a library", left_out=True
    ),
    "pip install hfcbench-detectron2": StandIn(_NETWORK, left_out=True),
    "pip install hfcbench-jpeg": StandIn(_NETWORK, left_out=True),
    "pip install hfcbench-ray": StandIn(_NETWORK, left_out=True),
    "pip install --no-deps torchattacks==3.5.1 hfcbench-torchattacks": StandIn(
        _NETWORK, left_out=True
    ),
    "pip install pyautoattack==0.2.0": StandIn(_NETWORK, left_out=True),
    'hfcbench run --suite classification --defence none --defence "jpeg(quality=50)"': StandIn(
        _MINUTES, add="--dry-run"
    ),
    "hfcbench run --suite classification --attack autoattack "
    '--attack "square(queries=1000)" --epsilon 0.03': StandIn(_MINUTES, add="--dry-run"),
    "hfcbench run --suite classification --executor ray": StandIn(_MINUTES, add="--dry-run"),
    "hfcbench run --suite classification --executor ray --address auto": StandIn(
        _CLUSTER, add="--dry-run"
    ),
    "ray start --head --port 6379": StandIn(_CLUSTER, left_out=True),
    "ray start --address HEAD:6379": StandIn(_CLUSTER, left_out=True),
    "hfcbench run --suite classification --executor ray --address auto --gpus 0.5 "
    "--db /shared/study/results.db --artifacts /shared/study/checkpoints": StandIn(
        _CLUSTER, add="--dry-run", swap={"/shared/study/": ""}
    ),
    'ray start --head --node-ip-address="$head" --port=$port $resources --block &': StandIn(
        _CLUSTER, left_out=True
    ),
    'ray start --address="$head:$port" $resources --block &': StandIn(_CLUSTER, left_out=True),
    'hfcbench run --suite classification --executor ray --address "$head:$port" --cpus 4 --gpus 1 '
    '--wait-seconds 300 --db "$study/results.db" --artifacts "$study/checkpoints" '
    '--cache-dir "$study/cache"': StandIn(_CLUSTER, add="--dry-run", swap={"$study/": ""}),
}


def published(command: str) -> StandIn | None:
    """What is run instead of a run of the published results, which took hours on other data."""
    words = shlex.split(command)
    if words[:2] != ["hfcbench", "run"]:
        return None
    swap = {}
    if "--dataset" in words:
        named = words[words.index("--dataset") + 1]
        swap = {f"--dataset {shlex.quote(named)}": f"--dataset {_AT_HAND['detection' in words]}"}
    if "--data-root" in words:
        swap |= {"--data-root data": ""}
    if "lfc@128" in words:
        swap |= {"@128": "@96"}
    return StandIn("took hours, on data that lie elsewhere", add="--dry-run", swap=swap)


# As many images as were asked for, but smaller pictures.
_AT_HAND = {
    False: "'planted-band(train_per_class=1000, test_per_class=200)'",
    True: "photo-objects",
}
