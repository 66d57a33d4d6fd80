"""Who draws what, when: the plan, and the processes that carry it out. Knows nothing of VTK.

    cli ── run ──┬── plan        needs, workers, how many views a pass (pure)
                 └── pool ── process ══ pipe ══ worker ── actions ── inputs, drawing
                     one supervisor             many, each with an rlimit

Everything heavy is loaded in the workers; the supervisor imports the standard library and click alone.
"""
