"""Contract tests for plugins: subclass the one of your kind in a test module, or call check()."""

from hfcbench.testing.analysis_contract import AnalysisContract
from hfcbench.testing.attack_contract import AttackContract
from hfcbench.testing.contract_error import ContractError
from hfcbench.testing.dataset_contract import DatasetContract
from hfcbench.testing.decomposition_contract import DecompositionContract
from hfcbench.testing.defence_contract import DefenceContract
from hfcbench.testing.detection_dataset_contract import DetectionDatasetContract
from hfcbench.testing.detection_metric_contract import DetectionMetricContract
from hfcbench.testing.detector_contract import DetectorContract
from hfcbench.testing.executor_contract import ExecutorContract
from hfcbench.testing.heuristic_contract import HeuristicContract
from hfcbench.testing.metric_contract import MetricContract
from hfcbench.testing.model_contract import ModelContract
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.testing.suite_contract import SuiteContract

__all__ = [
    "AnalysisContract",
    "AttackContract",
    "ContractError",
    "DatasetContract",
    "DecompositionContract",
    "DefenceContract",
    "DetectionDatasetContract",
    "DetectionMetricContract",
    "DetectorContract",
    "ExecutorContract",
    "HeuristicContract",
    "MetricContract",
    "ModelContract",
    "PluginContract",
    "SuiteContract",
]
