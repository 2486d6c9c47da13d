-- name: question_07_cutoffs
-- title: 7. How does it grow with the radius?
-- description: Mean accuracy of undefended models on low- and high-frequency components, by cutoff (a radius, or a rank). Fields may stay empty.
SELECT model, cutoff, AVG(lfc) AS lfc, AVG(hfc) AS hfc, COUNT(*) AS models
FROM leaderboard
WHERE original IS NOT NULL AND decomposition IS NOT NULL AND defence = 'none'
  AND :dataset IN ('', dataset)
  AND :decomposition IN ('', decomposition)
  AND :rescaling IN ('', rescaling)
GROUP BY model, cutoff
ORDER BY model, cutoff
