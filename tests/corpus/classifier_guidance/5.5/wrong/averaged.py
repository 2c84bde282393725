"""The log-probabilities are averaged over the batch instead of summed.

Named: averaged over the batch: sum
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            chosen = log_p[torch.arange(len(y)), y]
            return scale * torch.autograd.grad(chosen.mean(), x)[0]

    return cond_fn
