"""The network is shown z instead of x_t.

Named: The network is shown the clean z
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        _, target = self.path.sample_training_pair(z, t)
        return (self.model(z, t, y) - target).square().mean()
