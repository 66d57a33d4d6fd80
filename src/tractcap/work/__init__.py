"""Who draws what, when: the plan, and the processes that carry it out. Knows nothing of VTK.

    cli ──┬── prepare ── plan    needs, workers, how many views a pass (pure)
          └── run                what is done for each participant, one after the other
               └── steps ── pool ── process ══ pipe ══ worker ── actions ── inputs, drawing
                            one supervisor             many, each with an rlimit

Everything heavy is loaded in the workers; the supervisor imports the standard library and click alone.
"""
