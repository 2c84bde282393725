"""Draws t anew for the classifier.

Named: The classifier is told another t than the one its images are noised at
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        steps = self.diffusion.num_steps
        x = self.diffusion.q_sample(x, torch.randint(steps, (batch_size,)), torch.randn_like(x))
        return cross_entropy(self.model(x, torch.randint(steps, (batch_size,))), y)
