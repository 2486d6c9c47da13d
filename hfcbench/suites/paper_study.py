"""The paper's study: a suite for each of its experiments, and one for all of classification."""

from __future__ import annotations

from importlib.resources import files

from hfcbench import hookimpl
from hfcbench.hookspecs import RegisterSuite

EXPERIMENTS = {
    "fig2": "Images whose prediction follows the high frequencies (figure 2)",
    "fig3": "Natural against shuffled labels, epoch by epoch (figure 3)",
    "table1": "Trained on one component, tested on originals (table 1)",
    "fig4": "Batch size (figure 4)",
    "fig5": "Dropout, mix-up, BatchNorm, adversarial training (figure 5)",
    "architectures": "LeNet, AlexNet, VGG and ResNet (section 5.1)",
    "optimizers": "SGD, Adam, AdaGrad, AdaDelta and RMSprop (section 5.1)",
    "fig6": "BatchNorm on low frequencies alone (figure 6)",
    "fig7": "Kernels of the first layer (figure 7)",
    "table2": "Kernel smoothing under attack (table 2)",
    "svd": "The search of figure 2 with singular values (section 8)",
    "tradeoff": "Accuracy against robustness (corollary 1)",
    "fourier": "Beyond the paper: heat map, critical bands, spectra of perturbations",
}


@hookimpl
def hfcbench_register_suites(register: RegisterSuite) -> None:
    folder = files(__package__) / "paper"
    register(
        "paper", folder / "everything.yaml", version="2", description="The whole study at once"
    )
    # Not among the experiments of `paper`: it needs COCO, and trains nothing.
    register(
        "paper/detection",
        folder / "detection.yaml",
        version="1",
        description="RetinaNet on COCO and on its frequency components (section 7)",
    )
    for name, description in EXPERIMENTS.items():
        register(f"paper/{name}", folder / f"{name}.yaml", version="2", description=description)
