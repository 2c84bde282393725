"""Returns the share of errors.

Named: This is the share of wrong guesses, which has no slope
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        guess = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t).argmax(dim=1)
        return (guess != y).float().mean()
