"""Shows the classifier noise, as if it were to make the image.

Named: The classifier sees noise alone
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        noise = torch.randn_like(x)
        return cross_entropy(self.model(noise, t), y)
