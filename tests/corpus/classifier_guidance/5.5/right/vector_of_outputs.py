"""Differentiates a vector, with the scale as grad_outputs, and takes log of the softmax."""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = torch.log(classifier(x, t).softmax(1))[range(len(y)), y]
            (g,) = torch.autograd.grad(log_p, x, grad_outputs=torch.full_like(log_p, scale))
        return g

    return cond_fn
