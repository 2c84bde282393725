"""x is not copied, so that its .grad adds up from call to call.

Named: x.grad adds up
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x.requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            log_p[torch.arange(len(y)), y].sum().backward()
        return scale * x.grad

    return cond_fn
