"""log_p[:, y] picks the labels of all images for each image.

Named: picks every label for every item; pick its own
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = classifier(x, t).log_softmax(dim=1)
            return scale * torch.autograd.grad(log_p[:, y].sum(), x)[0]

    return cond_fn
