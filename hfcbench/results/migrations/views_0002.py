"""The views of revision 0002, for SQLite and PostgreSQL alike. A later change gets its own module.

``results``: one row per score, with everything that it is of, and the run that computed it.

``leaderboard``: one row per training x defence x split x decomposition x rescaling x cutoff x n:
top-1 accuracy on originals with its Wilson interval, on the low- and the high-frequency component
cut there, ``gap`` = original - lfc, and ``robust`` = the lowest accuracy on attacked originals over
all attacks and epsilons of that training and defence (on however many images they were attacked).
Scores of a row are over the same ``n`` images, but for ``robust``. Rings (``fft-band``) are not
shown; they are in ``results``.

``robustness``: one row per training x defence x split x attack x epsilon x component x n.

``leaderboard`` and ``robustness`` leave out scores that are not finite. Only rows of equal
fingerprint, scale, procedure, metric version, decomposition with version, rescaling and n compare.
"""

_DIMENSIONS = """
JOIN metrics ON metrics.metric_id = scores.metric_id
JOIN conditions ON conditions.condition_id = scores.condition_id
"""

_TRAINED = """
JOIN trainings ON trainings.training_id = {0}.training_id
JOIN datasets ON datasets.dataset_id = trainings.dataset_id
"""

RESULTS = f"""
CREATE VIEW results AS
SELECT datasets.name AS dataset, datasets.fingerprint, trainings.scale,
       trainings.model, trainings.heuristics, trainings.trained_on, trainings.seed,
       conditions.split, conditions.defence, conditions.attack, conditions.epsilon,
       conditions.component, conditions.part, conditions.cutoff, conditions.decomposition,
       conditions.rescaling, metrics.name AS metric,
       scores.value, scores.state, scores.low, scores.high, scores.n,
       trainings.epochs, trainings.model_version, conditions.defence_version,
       conditions.attack_version, conditions.decomposition_version,
       metrics.version AS metric_version, conditions.procedure,
       evaluations.device, runs.hfcbench_version, runs.torch_version, runs.host, runs.command,
       trainings.identity AS training, evaluations.identity AS evaluation, runs.uuid AS run
FROM scores {_DIMENSIONS}
JOIN evaluations ON evaluations.evaluation_id = scores.evaluation_id
JOIN runs ON runs.run_id = evaluations.run_id
{_TRAINED.format("scores")}
"""

_KEYS = ("training_id", "procedure", "defence", "defence_version", "split", "metric_version")
_PART = ("decomposition", "decomposition_version", "rescaling", "cutoff")


def _columns(table: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


def _same(left: str, right: str, names: tuple[str, ...]) -> str:
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in names)


_TOP1 = f"""
    SELECT scores.training_id, conditions.procedure, conditions.defence,
           COALESCE(conditions.defence_version, '') AS defence_version, conditions.split,
           metrics.version AS metric_version, conditions.part, conditions.component,
           conditions.attack, conditions.attack_version, conditions.epsilon,
           conditions.decomposition, conditions.decomposition_version, conditions.rescaling,
           conditions.cutoff, scores.n, scores.value, scores.low, scores.high
    FROM scores {_DIMENSIONS}
    WHERE metrics.name = 'top1' AND scores.state = 'finite'
"""

LEADERBOARD = f"""
CREATE VIEW leaderboard AS
WITH top1 AS ({_TOP1}),
rows_of AS (
    SELECT DISTINCT {_columns("top1", _KEYS)}, n FROM top1
    WHERE attack = 'none' AND part IN ('original', 'lfc', 'hfc')
),
originals AS (
    SELECT {_columns("top1", _KEYS)}, n,
           MAX(value) AS value, MAX(low) AS low, MAX(high) AS high
    FROM top1 WHERE attack = 'none' AND part = 'original'
    GROUP BY {_columns("top1", _KEYS)}, n
),
parts AS (
    SELECT {_columns("top1", _KEYS)}, n, {_columns("top1", _PART)},
           MAX(CASE WHEN part = 'lfc' THEN value END) AS lfc,
           MAX(CASE WHEN part = 'hfc' THEN value END) AS hfc
    FROM top1 WHERE attack = 'none' AND part IN ('lfc', 'hfc')
    GROUP BY {_columns("top1", _KEYS)}, n, {_columns("top1", _PART)}
),
attacked AS (
    SELECT {_columns("top1", _KEYS)}, MIN(value) AS robust
    FROM top1 WHERE attack <> 'none' AND part = 'original'
    GROUP BY {_columns("top1", _KEYS)}
)
SELECT datasets.name AS dataset, datasets.fingerprint, trainings.scale,
       trainings.model, trainings.heuristics, trainings.trained_on, rows_of.defence,
       trainings.seed, rows_of.split,
       parts.decomposition, parts.decomposition_version, parts.rescaling, parts.cutoff,
       rows_of.n, originals.value AS original,
       originals.low AS original_low, originals.high AS original_high,
       parts.lfc, parts.hfc, originals.value - parts.lfc AS gap, attacked.robust,
       trainings.epochs, trainings.model_version, rows_of.defence_version,
       rows_of.metric_version, rows_of.procedure, trainings.identity AS training
FROM rows_of
{_TRAINED.format("rows_of")}
LEFT JOIN originals ON {_same("originals", "rows_of", (*_KEYS, "n"))}
LEFT JOIN parts ON {_same("parts", "rows_of", (*_KEYS, "n"))}
LEFT JOIN attacked ON {_same("attacked", "rows_of", _KEYS)}
ORDER BY datasets.name, datasets.fingerprint, trainings.scale, rows_of.split, rows_of.procedure,
         parts.decomposition IS NULL, parts.decomposition, parts.decomposition_version,
         parts.rescaling, rows_of.n DESC, parts.cutoff,
         originals.value IS NULL, originals.value DESC,
         trainings.model, trainings.heuristics, rows_of.defence, trainings.seed
"""

ROBUSTNESS = f"""
CREATE VIEW robustness AS
WITH top1 AS ({_TOP1})
SELECT datasets.name AS dataset, datasets.fingerprint, trainings.scale,
       trainings.model, trainings.heuristics, trainings.trained_on, top1.defence,
       trainings.seed, top1.split, top1.attack, top1.epsilon, top1.component,
       top1.decomposition, top1.decomposition_version, top1.rescaling,
       top1.n, top1.value AS accuracy, top1.low AS accuracy_low, top1.high AS accuracy_high,
       trainings.epochs, trainings.model_version, top1.defence_version,
       top1.attack_version, top1.metric_version, top1.procedure, trainings.identity AS training
FROM top1
{_TRAINED.format("top1")}
WHERE top1.attack <> 'none'
ORDER BY datasets.name, datasets.fingerprint, trainings.scale, top1.split, top1.attack,
         top1.epsilon, top1.component, top1.n DESC, top1.value DESC, trainings.model,
         trainings.heuristics, top1.defence, trainings.seed
"""

VIEWS = {"results": RESULTS, "leaderboard": LEADERBOARD, "robustness": ROBUSTNESS}
