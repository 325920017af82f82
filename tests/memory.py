"""What a gradient keeps, on the backends that say so."""

import keras


def memory(model, batch):
    """Bytes that a gradient needs beside the weights."""
    if keras.backend.backend() == "torch":
        import torch

        kept = {}

        def pack(tensor):
            kept[tensor.data_ptr()] = tensor.nbytes
            return tensor

        weights = {v.value.data_ptr() for v in model.variables}
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            outputs = model(batch, training=True)
            loss = model.compute_loss(batch, None, outputs, training=True)
        # All were alive until here, so no two share an address.
        saved = sum(n for p, n in kept.items() if p not in weights)
        del loss
        return saved
    import jax

    fixed = [v.value for v in model.non_trainable_variables]
    metrics = [v.value for v in model.metrics_variables]

    def loss_of(values):
        outputs, _ = model.stateless_call(values, fixed, batch, training=True)
        loss, _ = model.stateless_compute_loss(
            values, fixed, metrics, x=batch, y_pred=outputs, training=True
        )
        return loss

    values = [v.value for v in model.trainable_variables]
    compiled = jax.jit(jax.grad(loss_of)).lower(values).compile()
    return compiled.memory_analysis().temp_size_in_bytes
