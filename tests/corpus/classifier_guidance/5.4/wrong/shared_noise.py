"""Draws one noise for the whole batch.

Named: is the same for several items of the batch
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        noise = torch.randn(1, *x.shape[1:]).expand_as(x)
        return cross_entropy(self.model(self.diffusion.q_sample(x, t, noise), t), y)
