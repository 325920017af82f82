"""What a temperature may be."""


def check_temperature(temperature: float) -> None:
    """Raises `ValueError` for a temperature that is not positive."""
    if not temperature > 0:
        raise ValueError(
            f"`temperature` must be positive. Received: {temperature}"
        )
