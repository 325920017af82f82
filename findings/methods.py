"""The runs that findings share, at one budget of views."""

import dataclasses

from findings.run import run

# On scenes, of which a tenth have captions.
CLIP = run("clip", collect=True)
CLIP_AUG = run("clip_aug")
SLIP = run("slip", collect=True)
# DINO's half with the crops that DINO itself was found to need here: many
# images of two global ones, instead of eight images of ten.
SILC_CROPS = {"num_locals": 0, "crops_batch_size": 32}
SILC = run("silc", collect=True, **SILC_CROPS)
ABCLIP = run("ab_clip", collect=True)
# The control: the same batches, from which the value function learns nothing.
ABCLIP_NO_VALUE = run("ab_clip", value_weight=0.0)
SIMCLR = run("simclr")
ABSIMCLR = run("ab_simclr")
DINO = run("dino")
# The floor of all tables: weights as they were drawn.
UNTRAINED = run("simclr", views=1024, learning_rate=0.0, warmup_steps=0)
ABDINO = run("ab_dino", collect=True)


def asking(run, tasks):
    """The same training, measured by other tasks.

    Args:
        run: A `findings.run.Run`.
        tasks: Tuple of strings, as of `Run`.

    Returns:
        A `Run`.
    """
    return dataclasses.replace(run, tasks=tuple(tasks))


def fine(budget):
    """The probe that the paper's tables are by, or the next to it."""
    return "decoder" if "decoder" in budget.probes else "map"
