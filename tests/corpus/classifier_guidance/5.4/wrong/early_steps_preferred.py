"""Squares the random number, so that early steps come more often.

Named: t is not spread evenly over its steps
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = (torch.rand(batch_size) ** 2 * self.diffusion.num_steps).long()
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
