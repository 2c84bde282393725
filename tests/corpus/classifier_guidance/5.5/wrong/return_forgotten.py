"""cond_fn computes the gradient and forgets to return it.

Named: yours is None. Is there a return?
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            g = torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]
            scale * g

    return cond_fn
