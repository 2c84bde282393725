"""Divides by ᾱ_t, as the loss of the noise above does.

Named: The items are weighted by 1/ᾱ_t
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        losses = cross_entropy(self.model(x, t), y, reduction="none")
        return (losses / self.diffusion.alphas_bar[t]).mean()
