"""Draws steps with numpy; averages the loss of every item."""

import numpy as np


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def __init__(self, diffusion, data):
        super().__init__(diffusion, data)
        self.rng = np.random.default_rng()

    def get_train_loss(self, batch_size):
        x_start, y = self.data.sample(batch_size)
        t = torch.from_numpy(self.rng.integers(self.diffusion.num_steps, size=batch_size))
        noise = torch.distributions.Normal(0.0, 1.0).sample(x_start.shape)
        x = self.diffusion.q_sample(x_start, t, noise.to(x_start.dtype))
        return cross_entropy(self.model(x, t), y, reduction="none").mean()
