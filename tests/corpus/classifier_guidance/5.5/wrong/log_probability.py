"""Returns log p(y|x) itself, and no gradient.

Named: These are the log-probabilities
"""


def classifier_guidance(classifier, scale):
    def cond_fn(x, t, y):
        log_p = classifier(x, t).log_softmax(dim=1)
        return scale * log_p[torch.arange(len(y)), y]

    return cond_fn
