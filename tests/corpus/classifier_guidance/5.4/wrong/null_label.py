"""Replaces a tenth of the labels by a null label, in the data's own tensor.

Named: there is no null label here
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        y[torch.rand(batch_size) < 0.1] = self.data.num_classes
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
