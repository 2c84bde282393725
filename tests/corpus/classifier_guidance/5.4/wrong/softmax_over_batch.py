"""Takes the softmax over the batch.

Named: The softmax runs over the batch
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        log_p = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t).log_softmax(dim=0)
        return -log_p[torch.arange(batch_size), y].mean()
