"""Training steps of SimCLR and DINO in PyTorch: ours, and lightly's parts.

Both have a ViT-S/16, the heads of our recipes, AdamW, and the same pixels.
Ours is what `fit` does, feeding and metrics included; lightly's is the loop
that its examples show, around its own heads and losses.
"""

import copy
import dataclasses

import numpy as np

from benchmarks.peers import vit

RATE, DECAY, MOMENTUM = 1e-3, 0.04, 0.996


def fit(model, batch, steps):
    """A function that fits a model to a batch.

    Args:
        model: A compiled model.
        batch: A batch, which comes again and again.
        steps: Int.

    Returns:
        A function that returns the loss.
    """

    def endlessly():
        while True:
            yield (batch,)

    def work():
        history = model.fit(
            endlessly(), steps_per_epoch=steps, shuffle=False, verbose=0
        )
        return history.history["loss"][0]

    return work


def views(images, sizes, seed=0):
    """Pixels of some sizes, uint8, channels last."""
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, 256, (images, side, side, 3), "uint8") for side in sizes
    ]


def tensors(pixels):
    """What lightly is fed: floats in [-1, 1], channels first."""
    import torch

    floats = (x.astype("float32") / 127.5 - 1 for x in pixels)
    return [
        torch.from_numpy(x).permute(0, 3, 1, 2).contiguous() for x in floats
    ]


def encoder(drop_path_rate=0.0):
    """timm's ViT-S/16 that pools its 196 tokens."""
    import timm

    return timm.create_model(
        "vit_small_patch16_224",
        num_classes=0,
        class_token=False,
        global_pool="avg",
        dynamic_img_size=True,
        drop_path_rate=drop_path_rate,
    ).train()


def our_simclr(images, steps):
    """Our SimCLR on a batch of so many images of two views."""
    from recipes import simclr

    options = dataclasses.replace(
        simclr.PAPER, views_batch_size=images, warmup_steps=1
    )
    model, _ = simclr.build(options)
    pair = np.stack(views(images, [vit.SIZE] * 2), 1)
    return fit(model, {"views": {"image": pair}}, steps)


def lightly_simclr(images, steps):
    """SimCLR of lightly's head and loss."""
    import torch
    from lightly.loss import NTXentLoss
    from lightly.models.modules import SimCLRProjectionHead

    backbone = encoder()
    head = SimCLRProjectionHead(384, 4096, 256, num_layers=3)
    criterion = NTXentLoss(temperature=0.1)
    weights = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    pair = tensors(views(images, [vit.SIZE] * 2))

    def step():
        first, second = (head(backbone(x)) for x in pair)
        loss = criterion(first, second)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss)

    return lambda: [step() for _ in range(steps)]


def our_dino(images, steps):
    """Our DINO on a batch of so many images of ten crops."""
    from recipes import dino

    options = dataclasses.replace(
        dino.PAPER, crops_batch_size=images, warmup_steps=1
    )
    model, _ = dino.build(options)
    crops = views(images, [vit.SIZE] * 2 + [options.local_size] * 8)
    batch = {
        "global": np.stack(crops[:2], 1),
        "local": np.stack(crops[2:], 1),
    }
    return fit(model, {"crops": batch}, steps)


def lightly_dino(images, steps):
    """DINO of lightly's head and loss."""
    import torch
    from lightly.loss import DINOLoss
    from lightly.models.modules import DINOProjectionHead
    from lightly.models.utils import update_momentum

    backbone = encoder(drop_path_rate=0.1)
    head = DINOProjectionHead(384, 2048, 256, 65_536, freeze_last_layer=1)
    student = torch.nn.Sequential(backbone, head)
    teacher = torch.nn.Sequential(
        encoder(), DINOProjectionHead(384, 2048, 256, 65_536)
    )
    teacher.load_state_dict(copy.deepcopy(student.state_dict()))
    teacher.requires_grad_(False)
    criterion = DINOLoss(65_536)
    weights = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    crops = tensors(views(images, [vit.SIZE] * 2 + [96] * 8))

    def step():
        update_momentum(student, teacher, MOMENTUM)
        with torch.no_grad():
            targets = [teacher(x) for x in crops[:2]]
        loss = criterion(targets, [student(x) for x in crops], epoch=0)
        optimizer.zero_grad()
        loss.backward()
        head.cancel_last_layer_gradients(0)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        return float(loss)

    return lambda: [step() for _ in range(steps)]
