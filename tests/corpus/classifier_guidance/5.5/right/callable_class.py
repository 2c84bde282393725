"""An object with __call__, decorated with enable_grad; the classifier is called by keyword."""


class Guidance:
    def __init__(self, classifier, scale):
        self.classifier, self.scale = classifier, scale

    @torch.enable_grad()
    def __call__(self, x, t, y):
        x = x.detach().clone().requires_grad_()
        log_p = self.classifier(x=x, t=t).log_softmax(dim=-1)
        chosen = log_p.take_along_dim(y.unsqueeze(1), dim=1).squeeze(1)
        return torch.autograd.grad((self.scale * chosen).sum(), [x])[0].detach()


def classifier_guidance(classifier, scale):
    return Guidance(classifier, scale)
