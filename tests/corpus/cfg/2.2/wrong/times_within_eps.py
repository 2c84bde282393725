"""The times are scaled by ε instead of 1 − ε.

Named: are not spread evenly over [0, 1] (their mean is 0.00)
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = self.eps * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
