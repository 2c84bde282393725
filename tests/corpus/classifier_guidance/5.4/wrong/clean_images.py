"""Shows the classifier the images without noise.

Named: The classifier sees the clean images
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        return cross_entropy(self.model(x, t), y)
