"""The batch size of the lab is written out.

Named: never asked for batch_size = 4096 items, but for 250
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(250)
        y[torch.rand(250) < self.eta] = self.null_label
        t = (1 - self.eps) * torch.rand(250)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
