"""Every loss as the plainest loops that say what it means, in float64."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-np.asarray(x, "float64")))


def softmax(x, axis=-1):
    x = np.asarray(x, "float64")
    x = np.exp(x - x.max(axis, keepdims=True))
    return x / x.sum(axis, keepdims=True)


def unit(x):
    x = np.asarray(x, "float64")
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def bellman_target(reward, q_logits, gamma):
    batch, views, annotations = reward.shape
    target = np.zeros((batch, views, annotations))
    for b, j, a in np.ndindex(batch, views, annotations):
        best = max(sigmoid(q_logits[b, j, k, a]) for k in range(views))
        target[b, j, a] = (1 - gamma) * reward[b, j, a] + gamma * best
    return target


def bellman_value(q_logits, target):
    batch, views, _, annotations = q_logits.shape
    loss = np.zeros(batch)
    for b, i, j, a in np.ndindex(batch, views, views, annotations):
        q, y = sigmoid(q_logits[b, i, j, a]), target[b, j, a]
        loss[b] -= y * np.log(q) + (1 - y) * np.log(1 - q)
    return loss / views**2


def info_nce(images, texts, scale):
    logits = scale * unit(images) @ unit(texts).T
    count = len(logits)
    to_text, to_image = softmax(logits, 1), softmax(logits, 0)
    return np.array(
        [
            -0.5 * (np.log(to_text[i, i]) + np.log(to_image[i, i]))
            for i in range(count)
        ]
    )


def sigmoid_contrast(images, texts, scale, bias):
    logits = scale * unit(images) @ unit(texts).T + bias
    loss = np.zeros(len(logits))
    for i, j in np.ndindex(logits.shape):
        sign = 1 if i == j else -1
        loss[i] -= np.log(sigmoid(sign * logits[i, j]))
    return loss


def nt_xent(a, b, temperature):
    views = np.concatenate([unit(a), unit(b)])
    count = len(a)
    loss = np.zeros(2 * count)
    for i in range(2 * count):
        others = [k for k in range(2 * count) if k != i]
        logits = {k: views[i] @ views[k] / temperature for k in others}
        total = sum(np.exp(logit) for logit in logits.values())
        loss[i] = -np.log(np.exp(logits[(i + count) % (2 * count)]) / total)
    return (loss[:count] + loss[count:]) / 2


def dino(student_logits, teacher, temperature):
    log_student = np.log(softmax(np.asarray(student_logits) / temperature))
    terms = [
        -(teacher[g] * log_student[v]).sum(-1)
        for g in range(len(teacher))
        for v in range(len(log_student))
        if g != v
    ]
    return np.mean(terms, axis=0)


def masked_pixels(predictions, patches, masked, normalize):
    count = patches.shape[1]
    loss = []
    for b in range(len(patches)):
        terms = []
        for t in range(count) if masked is None else masked[b]:
            wanted = np.asarray(patches[b, t], "float64")
            if normalize:
                spread = np.sqrt(wanted.var(ddof=1) + 1e-6)
                wanted = (wanted - wanted.mean()) / spread
            terms.append(((predictions[b, t] - wanted) ** 2).mean())
        loss.append(np.mean(terms))
    return np.array(loss)


def masked_latents(predictions, targets, mask):
    loss = []
    for b in range(len(targets)):
        terms = []
        for place in np.ndindex(*targets.shape[1:-1]):
            if mask is not None and not mask[(b, *place)]:
                continue
            for gap in predictions[(b, *place)] - targets[(b, *place)]:
                gap = abs(gap)
                terms.append(gap**2 / 2 if gap < 1 else gap - 0.5)
        loss.append(np.mean(terms))
    return np.array(loss)
