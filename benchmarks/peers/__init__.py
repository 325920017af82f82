"""Our steps beside those of other projects, in one interleaved run."""
