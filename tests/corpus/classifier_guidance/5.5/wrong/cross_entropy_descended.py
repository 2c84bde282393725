"""The gradient of the mean cross-entropy: too small by the batch, and away from y.

Named: averaged over the batch and points away
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            loss = cross_entropy(classifier(x, t), y)
            return scale * torch.autograd.grad(loss, x)[0]

    return cond_fn
