"""The views of revision 0005, for SQLite and PostgreSQL alike; a later change gets its own module.

As in revision 0004, and besides: ``leaderboard`` has the rows of detection datasets, in which
``original``, ``lfc``, ``hfc`` and ``gap`` are of mean average precision (``map``); its column
``metric`` says which numbers a row holds.

``picture_gains``: one row per training x defence x split x component x metric x picture that has a
finite score on both: the picture's score on the ``original`` and on the component (``value``), and
``difference`` = value - original. Of several evaluations of the original the newest counts.
"""

from hfcbench.results.migrations import views_0004

_DETECTORS = """
SELECT trainings.training_id FROM trainings
JOIN datasets ON datasets.dataset_id = trainings.dataset_id WHERE datasets.task = 'detection'
"""
# The list of names lets an index find the scores.
_HEADLINE = f"""
metrics.name IN ('top1', 'map') AND metrics.name =
    CASE WHEN scores.training_id IN ({_DETECTORS}) THEN 'map' ELSE 'top1' END
"""


def _leaderboard(statement: str) -> str:
    changes = (
        ("metrics.name = 'top1'", _HEADLINE),
        (
            "rows_of.metric_version, rows_of.procedure, trainings.identity",
            "CASE datasets.task WHEN 'detection' THEN 'map' ELSE 'top1' END AS metric, "
            "rows_of.metric_version, rows_of.procedure, trainings.identity",
        ),
    )
    for before, after in changes:
        if statement.count(before) != 1:
            raise ValueError(f"'{before}' is not there once")
        statement = statement.replace(before, after)
    return statement


LEADERBOARD = _leaderboard(views_0004.LEADERBOARD)

PICTURE_GAINS = """
CREATE VIEW picture_gains AS
WITH seen AS (
    SELECT detections.evaluation_id, detections.picture_set_id, evaluations.training_id,
           evaluations.identity, conditions.procedure, conditions.split, conditions.defence,
           COALESCE(conditions.defence_version, '') AS defence_version, conditions.component,
           conditions.part, conditions.decomposition, conditions.decomposition_version,
           conditions.rescaling, conditions.cutoff
    FROM detections
    JOIN evaluations ON evaluations.evaluation_id = detections.evaluation_id
    JOIN conditions ON conditions.condition_id = evaluations.condition_id
    WHERE conditions.attack = 'none'
),
originals AS (
    SELECT training_id, picture_set_id, procedure, split, defence, defence_version,
           MAX(evaluation_id) AS evaluation_id
    FROM seen WHERE part = 'original'
    GROUP BY training_id, picture_set_id, procedure, split, defence, defence_version
)
SELECT datasets.name AS dataset, datasets.fingerprint, trainings.scale,
       trainings.model, trainings.heuristics, trainings.trained_on, trainings.seed,
       seen.split, seen.defence, seen.component, seen.decomposition, seen.rescaling, seen.cutoff,
       metrics.name AS metric, pictures.name AS picture, pictures.object_count,
       pictures.height, pictures.width,
       of_original.value AS original, of_component.value,
       of_component.value - of_original.value AS difference,
       seen.defence_version, seen.decomposition_version, metrics.version AS metric_version,
       seen.procedure, trainings.identity AS training, seen.identity AS evaluation
FROM seen
JOIN originals
    ON originals.training_id = seen.training_id
    AND originals.picture_set_id = seen.picture_set_id
    AND originals.procedure = seen.procedure AND originals.split = seen.split
    AND originals.defence = seen.defence AND originals.defence_version = seen.defence_version
JOIN picture_scores AS of_component ON of_component.evaluation_id = seen.evaluation_id
JOIN picture_scores AS of_original
    ON of_original.evaluation_id = originals.evaluation_id
    AND of_original.metric_id = of_component.metric_id
    AND of_original.position = of_component.position
JOIN pictures
    ON pictures.picture_set_id = seen.picture_set_id AND pictures.position = of_component.position
JOIN metrics ON metrics.metric_id = of_component.metric_id
JOIN trainings ON trainings.training_id = seen.training_id
JOIN datasets ON datasets.dataset_id = trainings.dataset_id
WHERE seen.part <> 'original' AND of_component.state = 'finite' AND of_original.state = 'finite'
"""

VIEWS = {**views_0004.VIEWS, "leaderboard": LEADERBOARD, "picture_gains": PICTURE_GAINS}
