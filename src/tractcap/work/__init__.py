"""Who draws what, when: the plan, and the processes that carry it out. Knows nothing of VTK.

    cli ──┬── prepare_jobs ── memory_plan    needs, workers, how many views a pass (pure)
          └── run    what is done for each participant, one after the other
               └── scheduler ── pool ── worker_process ══ pipe ══ worker ── worker_actions ── inputs, drawing, checks
                         one supervisor                           many, each with an rlimit

Requests and answers that cross the pipe are classes of ``records.worker_requests``. Everything heavy is loaded in the
workers; the supervisor imports the standard library, click and psutil alone.
"""
