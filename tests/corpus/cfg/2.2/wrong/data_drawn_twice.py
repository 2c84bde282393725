"""z comes from one call of sample and y from another.

Named: p_data.sample is called twice
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z = self.path.p_data.sample(batch_size)[0]
        y = self.path.p_data.sample(batch_size)[1]
        y = torch.where(torch.rand(batch_size) < self.eta, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
