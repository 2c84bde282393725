"""numpy draws the noise."""

import numpy as np


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        noise = torch.from_numpy(np.random.default_rng().standard_normal(z.shape)).to(z)
        t = expand_time(t, z)
        return self.beta(t) * noise + self.alpha(t) * z
