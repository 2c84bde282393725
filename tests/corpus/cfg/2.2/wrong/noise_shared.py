"""One noise for the whole batch.

Named: the ε in yours is the same for several items
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        noise = torch.randn_like(z[:1])
        t_ = t.view(-1, *[1] * (z.ndim - 1))
        x = self.path.alpha(t_) * z + self.path.beta(t_) * noise
        target = self.path.alpha.dt(t_) * z + self.path.beta.dt(t_) * noise
        return (self.model(x, t, y) - target).square().mean()
