"""Follows the class that the classifier believes in already.

Named: the classifier's own guess
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            return scale * torch.autograd.grad(log_p.max(dim=1).values.sum(), x)[0]

    return cond_fn
