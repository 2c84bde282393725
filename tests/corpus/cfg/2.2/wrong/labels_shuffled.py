"""The labels no longer belong to their images.

Named: Labels other than the dropped ones have changed
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        y = y[torch.randperm(batch_size)]
        y = torch.where(torch.rand(batch_size) < self.eta, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
