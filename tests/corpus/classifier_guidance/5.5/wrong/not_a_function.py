"""Returns a gradient at once instead of the function that computes it.

Named: classifier_guidance returns a function cond_fn(x, t, y)
"""


def classifier_guidance(classifier, scale):
    x = torch.zeros(4, 1, 32, 32, requires_grad=True)
    return scale * x
