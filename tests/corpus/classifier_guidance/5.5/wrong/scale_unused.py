"""The scale is not used.

Named: At scale 0 there must be no guidance
Keeps: 2
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            return torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]

    return cond_fn
