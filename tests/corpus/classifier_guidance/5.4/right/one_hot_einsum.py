"""One-hot labels and einops.einsum; the noise by `normal_`, the jump by keyword."""

import einops
from torch.nn.functional import log_softmax, one_hot


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x_start, y = self.data.sample(batch_size)
        t = torch.randint_like(y, self.diffusion.num_steps)
        noise = torch.empty_like(x_start).normal_()
        logits = self.model.forward(t=t, x=self.diffusion.q_sample(x_start, noise=noise, t=t))
        log_p = log_softmax(logits, dim=-1)
        targets = one_hot(y, logits.shape[1]).to(log_p.dtype)
        return -einops.einsum(log_p, targets, "b c, b c ->") / batch_size
