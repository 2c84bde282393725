"""Draws half as many items as it should.

Named: self.data.sample was never asked for batch_size
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size // 2)
        t = torch.randint(self.diffusion.num_steps, (len(y),), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
