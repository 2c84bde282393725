"""The summed cross-entropy, minus the log-probability, differentiated at a Parameter."""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        with torch.set_grad_enabled(True):
            leaf = nn.Parameter(x.clone())
            loss = cross_entropy(classifier(leaf, t), y, reduction="sum")
        return -scale * torch.autograd.grad(loss, leaf)[0]

    return cond_fn
