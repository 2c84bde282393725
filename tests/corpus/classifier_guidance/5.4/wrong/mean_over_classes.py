"""Averages over the classes, too.

Named: only the label's log-probability counts
"""

from torch.nn.functional import one_hot


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        log_p = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t).log_softmax(dim=1)
        return -(log_p * one_hot(y, log_p.shape[1])).mean()
