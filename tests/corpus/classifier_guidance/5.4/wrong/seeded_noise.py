"""Seeds the noise's generator in each call, so that every batch has the same.

Named: Two calls draw the very same noise
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        x = self.diffusion.q_sample(x, t, noise)
        return cross_entropy(self.model(x, t), y)
