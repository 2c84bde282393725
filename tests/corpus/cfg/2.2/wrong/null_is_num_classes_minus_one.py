"""The null label is taken for the last class.

Named: The null label looks hard-coded as 2
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        y[torch.rand(batch_size) < self.eta] = y.max().item()
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
