"""Drops a tenth of the labels, as the trainers for guidance without a classifier do.

Named: of the labels are not those of the data
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        y = torch.where(torch.rand(batch_size) < 0.1, 0, y)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
