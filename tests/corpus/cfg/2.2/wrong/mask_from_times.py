"""The random numbers of the mask are used as times, too.

Named: Labels are dropped at certain times only
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        t = (1 - self.eps) * torch.rand(batch_size)
        y = torch.where(t < self.eta * (1 - self.eps), self.null_label, y)

        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
