"""Draws the noise by rand_like.

Named: Your noise is uniform on [0, 1): torch.rand, not torch.randn
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.rand_like(x))
        return cross_entropy(self.model(x, t), y)
