-- name: question_01_best_model
-- title: 1. Which model is best, and what is left of it without high frequencies?
-- description: Low- and high-frequency components are cut at the middle one of the cutoffs that were evaluated, as in `hfcbench leaderboard`. Fields may stay empty.
WITH chosen AS (
    SELECT * FROM leaderboard
    WHERE original IS NOT NULL AND decomposition IS NOT NULL
      AND :dataset IN ('', dataset)
      AND :decomposition IN ('', decomposition)
      AND :rescaling IN ('', rescaling)
),
cutoffs AS (
    SELECT fingerprint, decomposition, decomposition_version, rescaling, cutoff,
           ROW_NUMBER() OVER cut AS place, COUNT(*) OVER whole AS places
    FROM (
        SELECT DISTINCT fingerprint, decomposition, decomposition_version, rescaling, cutoff
        FROM chosen
    )
    WINDOW whole AS (
               PARTITION BY fingerprint, decomposition, decomposition_version, rescaling
           ),
           cut AS (
               PARTITION BY fingerprint, decomposition, decomposition_version, rescaling
               ORDER BY cutoff
           )
)
SELECT dataset,
       RANK() OVER (
           PARTITION BY fingerprint, scale, split, procedure, n, metric, metric_version,
                        decomposition, decomposition_version, rescaling
           ORDER BY ROUND(original, 12) DESC
       ) AS rank,
       model, heuristics, trained_on, defence, seed, original, original_low, original_high,
       cutoff, lfc, hfc, gap, metric, n, decomposition, rescaling, scale, training
FROM chosen
JOIN cutoffs USING (fingerprint, decomposition, decomposition_version, rescaling, cutoff)
WHERE place = (places + 1) / 2
ORDER BY dataset, fingerprint, scale, split, procedure, n DESC,
         decomposition, decomposition_version, rescaling, rank, model, heuristics, defence, seed
