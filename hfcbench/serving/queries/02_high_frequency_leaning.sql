-- name: question_02_leaning_models
-- title: 2. Which models lean most on high frequencies?
-- description: Undefended models, the largest gap first: original accuracy minus that on low-frequency components. Fields may stay empty; cutoff is a radius or rank such as 8.
SELECT model, heuristics, seed, original, lfc AS value, gap,
       dataset, cutoff, decomposition, rescaling, trained_on, n, scale, metric, training
FROM leaderboard
WHERE gap IS NOT NULL AND defence = 'none'
  AND :dataset IN ('', dataset)
  AND (:cutoff = '' OR cutoff = CAST(:cutoff AS REAL))
  AND :decomposition IN ('', decomposition)
  AND :rescaling IN ('', rescaling)
ORDER BY gap DESC, model, heuristics, seed
