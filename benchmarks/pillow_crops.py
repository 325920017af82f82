"""The same views by PIL, with torchvision's transforms or without.

A program of its own, so that it runs in an interpreter that has torchvision
and not TensorFlow. `benchmarks/data.py` starts it:

    python benchmarks/pillow_crops.py torchvision one FOLDER 224 1 perf_counter

It answers each line on its standard input with the seconds of one pass.
"""

import math
import pathlib
import random
import sys
import time

import numpy as np
from PIL import Image

VIEWS, AREA, RATIO = 4, (0.05, 0.5), (3 / 4, 4 / 3)


def pillow_view(image, size):
    """One view, its box drawn by torchvision's law."""
    for _ in range(10):
        area = image.width * image.height * random.uniform(*AREA)
        ratio = math.exp(random.uniform(*map(math.log, RATIO)))
        width = round(math.sqrt(area * ratio))
        height = round(math.sqrt(area / ratio))
        if width <= image.width and height <= image.height:
            break
    else:
        width, height = image.size
    x = random.randint(0, image.width - width)
    y = random.randint(0, image.height - height)
    crop = image.crop((x, y, x + width, y + height))
    return np.asarray(crop.resize((size, size), Image.Resampling.BILINEAR))


def torchvision_view():
    from torchvision import transforms

    crop = {}

    def view(image, size):
        if size not in crop:
            crop[size] = transforms.Compose(
                [
                    transforms.RandomResizedCrop(size, AREA, RATIO),
                    transforms.PILToTensor(),
                ]
            )
        return np.asarray(crop[size](image))

    return view


class Views:
    """The views of each file, as a map-style data set."""

    def __init__(self, view, decodes, files, size):
        self.view, self.decodes = view, decodes
        self.files, self.size = files, size

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        views = []
        for i in range(VIEWS):
            if i == 0 or self.decodes == "each":
                image = Image.open(self.files[index]).convert("RGB")
            views.append(self.view(image, self.size))
        return np.stack(views)


def run_pool(views, cores):
    """A function that makes all views, on some cores."""
    if cores == 1:
        return lambda: [views[i] for i in range(len(views))]
    if "torchvision" not in sys.modules:
        from concurrent import futures

        # PIL lets go of Python's lock while it decodes and resizes.
        pool = futures.ThreadPoolExecutor(cores)
        return lambda: list(pool.map(views.__getitem__, range(len(views))))
    from torch.utils.data import DataLoader

    loader = DataLoader(
        views, batch_size=16, num_workers=cores, persistent_workers=True
    )
    return lambda: list(loader)


def main():
    kind, decodes, folder, size, cores, clock = sys.argv[1:]
    clock = getattr(time, clock)
    view = pillow_view
    if kind == "torchvision":
        import torch

        torch.set_num_threads(1)
        view = torchvision_view()
    files = sorted(pathlib.Path(folder).glob("*.jpg"))
    make = run_pool(Views(view, decodes, files, int(size)), int(cores))
    make()
    print("ready", flush=True)
    for _ in sys.stdin:
        started = clock()
        make()
        print(clock() - started, flush=True)


if __name__ == "__main__":
    main()
