"""Every item is asked with and without its label, and the losses are weighed.

Named: see each of the 4096 items once; it saw 8192
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        none = torch.full_like(y, self.null_label)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        given = (self.model(x, t, y) - target).square().mean()
        free = (self.model(x, t, none) - target).square().mean()
        return (1 - self.eta) * given + self.eta * free
