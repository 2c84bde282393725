"""Plain conditional flow matching: η is not used.

Named: No label was ever dropped
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)

        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
