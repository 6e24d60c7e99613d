-- Whether an event tells a failure. Part of other queries, in the place of `${failed}`.
(
    status = 'CRITICAL_FAILURE'
    or tool_outcome in ('failed', 'timed_out')
    or model_outcome not in ('', 'ok')
    or task_state in ('FAILED', 'DEAD')
    or run_state = 'FAILED'
    or kind in ('tombstone', 'undecodable')
)
