"""The classifier is asked without t.

Named: The classifier is not told t
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        return cross_entropy(self.model(self.diffusion.q_sample(x, t, torch.randn_like(x))), y)
