"""Draws 1 … T − 1, as if step 0 had no noise.

Named: t only takes values 1
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(1, self.diffusion.num_steps, (batch_size,))
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
