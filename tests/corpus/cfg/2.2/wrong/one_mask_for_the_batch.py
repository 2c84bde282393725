"""One throw of the dice decides for the whole batch.

Named: All labels of a batch are dropped together
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        if torch.rand(1) < self.eta:
            y = torch.full_like(y, self.null_label)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
