"""Calls its own 5.1 by the names that it has there."""


@add_to(GaussianDiffusion)
def q_sample(self, clean, step, eps):
    bar = self.at(self.alphas_bar, step, clean)
    return bar.sqrt() * clean + (1 - bar).sqrt() * eps


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, n):
        clean, y = self.data.sample(n)
        step = torch.randint(self.diffusion.num_steps, (n,), device=clean.device)
        noisy = self.diffusion.q_sample(clean=clean, step=step, eps=torch.randn_like(clean))
        return cross_entropy(input=self.model(noisy, step), target=y)
