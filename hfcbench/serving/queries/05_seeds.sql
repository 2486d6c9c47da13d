-- name: question_05_seeds
-- title: 5. How much do seeds matter?
-- description: Mean accuracy of undefended models over trainings that differ by their seed only, its sample standard deviation, and the number of seeds (rows). The field may stay empty.
WITH seen AS (
    SELECT DISTINCT leaderboard.dataset, leaderboard.fingerprint, leaderboard.scale,
           leaderboard.split, leaderboard.procedure, leaderboard.n, leaderboard.model,
           leaderboard.heuristics, leaderboard.trained_on, leaderboard.metric,
           leaderboard.metric_version, leaderboard.original, trainings.configuration,
           leaderboard.training
    FROM leaderboard JOIN trainings ON trainings.identity = leaderboard.training
    WHERE leaderboard.original IS NOT NULL AND leaderboard.defence = 'none'
      AND :dataset IN ('', leaderboard.dataset)
)
SELECT model, heuristics, COUNT(*) AS rows, AVG(original) AS original,
       sample_deviation(original) AS "original sd", dataset, trained_on, scale, split, n, metric
FROM seen
GROUP BY dataset, fingerprint, scale, split, procedure, n, metric, metric_version, configuration
ORDER BY dataset, fingerprint, scale, split, procedure, n DESC, original DESC, model, heuristics
