"""Hands q_sample the noise first and the image last.

Named: Image and noise look swapped
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(torch.randn_like(x), t, x)
        return cross_entropy(self.model(x, t), y)
