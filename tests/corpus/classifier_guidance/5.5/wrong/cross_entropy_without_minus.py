"""The summed cross-entropy without its minus: the gradient leads away from y.

Named: points away from y: the sign is turned
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            loss = cross_entropy(classifier(x, t), y, reduction="sum")
        return torch.autograd.grad(loss, x)[0] * scale

    return cond_fn
