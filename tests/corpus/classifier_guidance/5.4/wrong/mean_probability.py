"""Minus the mean probability, without a logarithm.

Named: This is minus the mean probability
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        p = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t).softmax(dim=1)
        return -p[torch.arange(batch_size), y].mean()
