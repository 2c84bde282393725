"""One call of the classifier for each image, in a loop."""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        gradients = []
        for i in range(len(x)):
            with torch.enable_grad():
                one = x[i : i + 1].detach().requires_grad_()
                log_p = classifier(one, t[i : i + 1]).log_softmax(1)[0, y[i]]
            gradients.append(torch.autograd.grad(log_p, one)[0])
        return scale * torch.cat(gradients)

    return cond_fn
