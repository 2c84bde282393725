"""The gradient of p(y|x) instead of that of its logarithm.

Named: gradient of the probability p(y|x)
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            p = classifier(x, t).softmax(dim=1)
            return scale * torch.autograd.grad(p.gather(1, y[:, None]).sum(), x)[0]

    return cond_fn
