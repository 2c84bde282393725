"""Returns the logits, and leaves the loss to others.

Named: These look like the logits: return their cross-entropy
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        return self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t)
