"""The labels are kept with probability η: the most popular bug of this lab.

Named: The mask looks inverted
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        kept = torch.rand(batch_size) < self.eta
        y = torch.where(kept, y, self.null_label)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
