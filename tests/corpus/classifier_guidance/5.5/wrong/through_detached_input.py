"""The classifier sees a detached copy, and the gradient is asked for at the other tensor.

Named: only if the classifier is called on the very tensor
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x_in = x.detach().requires_grad_()
            log_p = classifier(x_in.detach(), t).log_softmax(dim=1)
            chosen = log_p[torch.arange(len(y)), y]
            return scale * torch.autograd.grad(chosen.sum(), x_in)[0]

    return cond_fn
