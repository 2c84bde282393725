"""Minus the log-probability by a distribution; t is drawn before the data."""

from torch.distributions import Categorical


class NoisyClassifierTrainer(Trainer):
    def __init__(self, process, source):
        super().__init__()
        self.process = process
        self.source = source

    def get_train_loss(self, batch_size):
        t = torch.randint(low=0, high=self.process.num_steps, size=(batch_size,))
        images, digits = self.source.sample(num_samples=batch_size)
        eps = torch.normal(0.0, 1.0, images.shape)
        noisy = self.process.q_sample(images, t, eps)
        return -Categorical(logits=self.model(noisy, t)).log_prob(digits).mean()
