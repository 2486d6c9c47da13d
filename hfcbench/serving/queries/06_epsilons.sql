-- name: question_06_epsilons
-- title: 6. How does accuracy fall with epsilon?
-- description: Mean accuracy of undefended models under each attack, without scores that a stored check flags. Doubts that need a second score are not in the database: `hfcbench leaderboard` finds them. The field may stay empty.
SELECT model, attack, epsilon, AVG(accuracy) AS accuracy, COUNT(*) AS models
FROM robustness
WHERE component = 'original' AND defence = 'none' AND flags = 0
  AND :dataset IN ('', dataset)
GROUP BY model, attack, epsilon
ORDER BY model, attack, epsilon
