"""Returns the mean log-probability, without the minus.

Named: The loss has the opposite sign
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return self.model(x, t).log_softmax(dim=1)[torch.arange(batch_size), y].mean()
