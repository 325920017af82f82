"""The runs that findings share, at one budget of views."""

from findings.run import run

# On scenes, of which a tenth have captions.
CLIP = run("clip", collect=True)
CLIP_AUG = run("clip_aug")
SLIP = run("slip", collect=True)
SILC = run("silc", collect=True)
ABCLIP = run("ab_clip", collect=True)
SIMCLR = run("simclr")
ABSIMCLR = run("ab_simclr")
DINO = run("dino")
ABDINO = run("ab_dino", collect=True)


def fine(budget):
    """The probe that the paper's tables are by, or the next to it."""
    return "decoder" if "decoder" in budget.probes else "map"
