"""What a step costs of the view budget: every view counts, as in the paper."""


def batch(options):
    """Images to a batch, by part.

    Args:
        options: A recipe's options, with a `PART_batch_size` for each part.

    Returns:
        Dict from names of parts to ints.
    """
    parts = ("reward", "views", "crops", "masked", "value")
    sizes = {p: getattr(options, f"{p}_batch_size", 0) for p in parts}
    return {part: size for part, size in sizes.items() if size}


def views_per_image(options):
    """Views that one image gives, by part."""
    each = {"reward": 1, "views": 2, "crops": 2, "masked": 1, "value": 0}
    each["crops"] += getattr(options, "num_locals", 0)
    each["value"] += getattr(options, "num_views", 0)
    return {part: each[part] for part in batch(options)}


def views_per_step(options):
    """Views to a step; I-JEPA's one crop, seen whole and in parts, is one."""
    each = views_per_image(options)
    return sum(size * each[part] for part, size in batch(options).items())


def steps(options):
    """Updates that come nearest to the view budget."""
    views = views_per_step(options)
    return (2 * options.views + views) // (2 * views)
