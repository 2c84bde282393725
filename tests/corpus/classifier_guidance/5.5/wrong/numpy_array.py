"""Returns a numpy array.

Named: yours is a ndarray
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            g = torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]
        return (scale * g).cpu().numpy()

    return cond_fn
