"""The chosen logit minus logsumexp, in two gradients."""


def classifier_guidance(classifier, scale):
    def gradient_of(value, x):
        return torch.autograd.grad(value.sum(), x, retain_graph=True)[0]

    def cond_fn(x, t, y):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            logits = classifier(x, t)
            up = gradient_of(logits.gather(1, y.reshape(-1, 1)), x)
            down = gradient_of(logits.logsumexp(dim=1), x)
        return torch.sub(up, down).mul(scale)

    return cond_fn
