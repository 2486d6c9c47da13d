"""The views of revision 0001, for SQLite and PostgreSQL alike. A later change gets its own module.

``leaderboard``: one row per training x defence x split x decomposition x rescaling x cutoff x n:
top-1 accuracy on originals with its Wilson interval, on the low- and the high-frequency component
cut there, ``gap`` = original - lfc, and ``robust`` = the lowest accuracy on attacked originals over
all attacks and epsilons of that training and defence (on however many images they were attacked).
Scores of a row are over the same ``n`` images, but for ``robust``. Rings (``fft-band``) are not
shown; they are in the tables.

``robustness``: one row per training x defence x split x attack x epsilon x component x n.

Both show the newest of several evaluations of equal labels, and never a score that is not finite.
Only rows of equal fingerprint, decomposition, its version, rescaling and n compare.
"""

_CLEAN = """
    SELECT evaluations.training_id, defence, COALESCE(defence_version, '') AS defence_version,
           split, part, cutoff, decomposition, decomposition_version, rescaling,
           scores.metric_version, scores.n, scores.value, scores.low, scores.high,
           ROW_NUMBER() OVER (
               PARTITION BY evaluations.training_id, defence, defence_version, split, component,
                            decomposition, decomposition_version, rescaling,
                            scores.metric_version, scores.n
               ORDER BY evaluations.evaluation_id DESC
           ) AS age
    FROM evaluations JOIN scores ON scores.evaluation_id = evaluations.evaluation_id
    WHERE scores.metric = 'top1' AND scores.state = 'finite' AND attack = 'none'
      AND part IN ('original', 'lfc', 'hfc')
"""

_SAME_MODEL = """{0}.training_id = {1}.training_id AND {0}.defence = {1}.defence
    AND {0}.defence_version = {1}.defence_version AND {0}.split = {1}.split
    AND {0}.metric_version = {1}.metric_version"""

LEADERBOARD = f"""
CREATE VIEW leaderboard AS
WITH clean AS ({_CLEAN}),
conditions AS (
    SELECT DISTINCT training_id, defence, defence_version, split, metric_version, n FROM clean
),
originals AS (
    SELECT * FROM clean WHERE age = 1 AND part = 'original'
),
parts AS (
    SELECT training_id, defence, defence_version, split, metric_version, n,
           decomposition, decomposition_version, rescaling, cutoff,
           MAX(CASE WHEN part = 'lfc' THEN value END) AS lfc,
           MAX(CASE WHEN part = 'hfc' THEN value END) AS hfc
    FROM clean WHERE age = 1 AND part <> 'original'
    GROUP BY training_id, defence, defence_version, split, metric_version, n,
             decomposition, decomposition_version, rescaling, cutoff
),
attacked AS (
    SELECT evaluations.training_id, defence, COALESCE(defence_version, '') AS defence_version,
           split, scores.metric_version, MIN(scores.value) AS robust
    FROM evaluations JOIN scores ON scores.evaluation_id = evaluations.evaluation_id
    WHERE scores.metric = 'top1' AND scores.state = 'finite' AND attack <> 'none'
      AND part = 'original'
    GROUP BY evaluations.training_id, defence, COALESCE(defence_version, ''), split,
             scores.metric_version
)
SELECT datasets.name AS dataset, datasets.fingerprint,
       trainings.model, trainings.heuristics, trainings.trained_on, conditions.defence,
       trainings.seed, conditions.split,
       parts.decomposition, parts.decomposition_version, parts.rescaling, parts.cutoff,
       conditions.n, originals.value AS original,
       originals.low AS original_low, originals.high AS original_high,
       parts.lfc, parts.hfc, originals.value - parts.lfc AS gap, attacked.robust,
       trainings.epochs, trainings.model_version, conditions.defence_version,
       conditions.metric_version, trainings.identity AS training
FROM conditions
JOIN trainings ON trainings.training_id = conditions.training_id
JOIN datasets ON datasets.dataset_id = trainings.dataset_id
LEFT JOIN originals
    ON {_SAME_MODEL.format("originals", "conditions")} AND originals.n = conditions.n
LEFT JOIN parts
    ON {_SAME_MODEL.format("parts", "conditions")} AND parts.n = conditions.n
LEFT JOIN attacked ON {_SAME_MODEL.format("attacked", "conditions")}
ORDER BY datasets.name, datasets.fingerprint, conditions.split,
         parts.decomposition IS NULL, parts.decomposition, parts.decomposition_version,
         parts.rescaling, conditions.n DESC, parts.cutoff,
         originals.value IS NULL, originals.value DESC,
         trainings.model, trainings.heuristics, conditions.defence, trainings.seed
"""

ROBUSTNESS = """
CREATE VIEW robustness AS
WITH attacked AS (
    SELECT evaluations.*, scores.metric_version, scores.value, scores.low, scores.high,
           ROW_NUMBER() OVER (
               PARTITION BY training_id, defence, defence_version, split, attack, attack_version,
                            epsilon, component, decomposition, decomposition_version, rescaling,
                            scores.metric_version, scores.n
               ORDER BY evaluations.evaluation_id DESC
           ) AS age
    FROM evaluations JOIN scores ON scores.evaluation_id = evaluations.evaluation_id
    WHERE scores.metric = 'top1' AND scores.state = 'finite' AND attack <> 'none'
)
SELECT datasets.name AS dataset, datasets.fingerprint,
       trainings.model, trainings.heuristics, trainings.trained_on, attacked.defence,
       trainings.seed, attacked.split, attacked.attack, attacked.epsilon, attacked.component,
       attacked.decomposition, attacked.decomposition_version, attacked.rescaling,
       attacked.n, attacked.value AS accuracy,
       attacked.low AS accuracy_low, attacked.high AS accuracy_high,
       trainings.epochs, trainings.model_version, attacked.defence_version,
       attacked.attack_version, attacked.metric_version, trainings.identity AS training
FROM attacked
JOIN trainings ON trainings.training_id = attacked.training_id
JOIN datasets ON datasets.dataset_id = trainings.dataset_id
WHERE attacked.age = 1
ORDER BY datasets.name, datasets.fingerprint, attacked.split, attacked.attack, attacked.epsilon,
         attacked.component, attacked.n DESC, attacked.value DESC, trainings.model,
         trainings.heuristics, attacked.defence, trainings.seed
"""

VIEWS = {"leaderboard": LEADERBOARD, "robustness": ROBUSTNESS}
