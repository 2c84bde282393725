"""autograd.grad returns a tuple, and its [0] is forgotten.

Named: autograd.grad returns a tuple
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            chosen = scale * log_p[torch.arange(len(y)), y]
            return torch.autograd.grad(chosen.sum(), x)

    return cond_fn
