"""Hands q_sample the image where the noise belongs.

Named: Your noise is made of the image itself
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, x)
        return cross_entropy(self.model(x, t), y)
