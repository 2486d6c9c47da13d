-- name: ranked
-- title: Leaderboard: every model, defence and cutoff
-- description: Rows are ranked by original only among those that compare: one content, scale, split, procedure and number of images, cut in one way. gap = original - lfc. Fields may stay empty.
SELECT dataset, scale, cutoff,
       RANK() OVER (
           PARTITION BY fingerprint, scale, split, procedure, n, metric, metric_version,
                        decomposition, decomposition_version, rescaling, cutoff
           ORDER BY ROUND(original, 12) DESC
       ) AS rank,
       model, heuristics, trained_on, defence, seed,
       original, original_low, original_high, lfc, hfc, gap, robust, flags,
       metric, n, decomposition, rescaling, training
FROM leaderboard
WHERE original IS NOT NULL
  AND :dataset IN ('', dataset)
  AND :model IN ('', model)
  AND :defence IN ('', defence)
  AND (:cutoff = '' OR cutoff = CAST(:cutoff AS REAL))
ORDER BY dataset, fingerprint, scale DESC, split, procedure, n DESC,
         decomposition, decomposition_version, rescaling, cutoff, rank, model, heuristics, seed
