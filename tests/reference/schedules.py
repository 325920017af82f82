"""Schedules in plain Python."""

import math


def cosine(start, end, steps, step):
    step = min(step, steps)
    return end + (start - end) * (1 + math.cos(math.pi * step / steps)) / 2


def linear_warmup_cosine(peak, steps, warmup_steps, start, end, step):
    if step < warmup_steps:
        return start + (peak - start) * step / warmup_steps
    return cosine(peak, end, steps - warmup_steps, step - warmup_steps)
