"""The label is handed to the classifier as it is to a conditional model.

Named: The classifier is handed y
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t, y).log_softmax(dim=1)
            return scale * torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]

    return cond_fn
