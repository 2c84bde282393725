"""The gradient of the logit of y: the softmax is forgotten.

Named: This is the gradient of the logit
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            logits = classifier(x, t)
            chosen = logits[torch.arange(len(y)), y]
            return scale * torch.autograd.grad(chosen.sum(), x)[0]

    return cond_fn
