"""enable_grad is forgotten: under no_grad, as in a sampler, there is nothing to differentiate.

Named: wrap your code in torch.enable_grad()
Keeps: 2
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        x = x.detach().requires_grad_()
        log_p = classifier(x, t).log_softmax(dim=1)
        return scale * torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]

    return cond_fn
