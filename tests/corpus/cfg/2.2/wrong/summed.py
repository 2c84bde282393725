"""The sum over everything grows with the batch.

Named: Your loss is summed over the batch
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().sum()
