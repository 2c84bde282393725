"""Forgets the return.

Named: yours is None. Is there a return?
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        cross_entropy(self.model(x, t), y)
