"""The squared distance to one-hot labels.

Named: This is the squared distance of probabilities to one-hot labels
"""

from torch.nn.functional import mse_loss, one_hot


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        p = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t).softmax(dim=1)
        return mse_loss(p, one_hot(y, p.shape[1]).to(p.dtype))
