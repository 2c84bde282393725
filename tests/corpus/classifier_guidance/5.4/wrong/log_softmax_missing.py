"""Takes nll_loss of the logits.

Named: The log-softmax is missing
"""

from torch.nn.functional import nll_loss


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return nll_loss(self.model(x, t), y)
