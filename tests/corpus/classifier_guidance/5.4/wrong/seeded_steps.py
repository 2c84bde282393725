"""Seeds the steps' generator in each call, so that every batch has the same.

Named: Two calls draw the very same steps t
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        dice = torch.Generator().manual_seed(0)
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), generator=dice)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
