"""Looks for digit y in column y − 1.

Named: The labels are shifted by one
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            return scale * torch.autograd.grad(log_p[torch.arange(len(y)), y - 1].sum(), x)[0]

    return cond_fn
