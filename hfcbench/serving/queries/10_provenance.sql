-- name: question_10_provenance
-- title: 10. Where does this number come from?
-- description: id is that of a training or an evaluation, or its beginning, from the columns of other queries. `hfcbench show ID` prints all of it with the command that computes it again.
WITH found AS (
    SELECT 'training' AS kind, identity, identity AS training, run_id FROM trainings
    UNION ALL
    SELECT 'evaluation', evaluations.identity, trainings.identity, evaluations.run_id
    FROM evaluations JOIN trainings USING (training_id)
)
SELECT found.kind, found.identity, found.training,
       datasets.name AS dataset, datasets.fingerprint, trainings.model, trainings.heuristics,
       trainings.trained_on, trainings.seed, trainings.epochs, trainings.scale,
       runs.command, runs.suite, runs.started_at, runs.hfcbench_version, runs.python_version,
       runs.torch_version, runs.cuda_version, runs.git_revision, runs.git_dirty,
       runs.host, runs.platform, runs.device, runs.uuid AS run
FROM found
JOIN trainings ON trainings.identity = found.training
JOIN datasets USING (dataset_id)
JOIN runs ON runs.run_id = found.run_id
WHERE LENGTH(:id) >= 4 AND SUBSTR(found.identity, 1, LENGTH(:id)) = :id
ORDER BY found.kind DESC, found.identity
