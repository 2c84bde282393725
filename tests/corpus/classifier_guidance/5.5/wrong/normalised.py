"""Each image's gradient is brought to length 1.

Named: normalised to length 1
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            g = torch.autograd.grad(log_p[torch.arange(len(y)), y].sum(), x)[0]
        return scale * g / g.square().sum((1, 2, 3), keepdim=True).sqrt()

    return cond_fn
