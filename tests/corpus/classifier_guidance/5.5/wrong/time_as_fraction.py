"""The steps are divided by 1000, which the classifier does by itself.

Named: told fractions
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t / 1000).log_softmax(dim=1)
            return scale * torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]

    return cond_fn
