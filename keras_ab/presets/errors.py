"""What is said of a preset that is not opened."""


class PresetError(ValueError):
    """A preset is damaged, or is not what may be opened."""
