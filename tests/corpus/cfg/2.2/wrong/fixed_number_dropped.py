"""A fixed number of labels is dropped, so small batches never match η.

Named: labels exactly: drop each label
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        chosen = torch.randperm(batch_size)[: int(self.eta * batch_size)]
        y[chosen] = self.null_label
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
