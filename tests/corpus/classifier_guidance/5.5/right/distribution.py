"""torch.distributions knows the log-probability; float64 from the logits on; weights frozen."""

from torch.distributions import Categorical


def classifier_guidance(classifier, scale):
    for weight in classifier.parameters():
        weight.requires_grad_(False)

    def cond_fn(x, t, y):
        with torch.inference_mode(False), torch.enable_grad():
            z = x.detach().clone().requires_grad_()
            log_p = Categorical(logits=classifier(z, t).double()).log_prob(y)
            log_p.sum().backward()
            return scale * z.grad.to(x.dtype)

    return cond_fn
