"""The scale multiplies the log-probability, and the gradient again.

Named: The scale is squared
Keeps: 2
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            chosen = scale * log_p[torch.arange(len(y)), y]
            return scale * torch.autograd.grad(chosen.sum(), x)[0]

    return cond_fn
