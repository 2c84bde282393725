"""cross_entropy is fed with probabilities, and takes their softmax again.

Named: The softmax is applied twice
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            p = classifier(x, t).softmax(dim=1)
            loss = cross_entropy(p, y, reduction="sum")
            return -scale * torch.autograd.grad(loss, x)[0]

    return cond_fn
