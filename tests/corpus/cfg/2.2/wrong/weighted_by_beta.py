"""The squares are weighted with β(t).

Shown: The loss should be
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        weight = self.path.beta(t).view(-1, *[1] * (z.ndim - 1))
        return (weight * (self.model(x, t, y) - target).square()).mean()
