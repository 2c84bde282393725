"""The classifier is called with the images alone.

Named: The classifier is not told t
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x).log_softmax(dim=1)
            return scale * torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]

    return cond_fn
