"""Takes randint's upper end for included.

Named: torch.randint(n, …) draws 0 … n − 1
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(0, self.diffusion.num_steps - 1, (batch_size,))
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
